import type { Account } from './account.js';

/** How long a cancelled run may go on when nothing disturbs it, in milliseconds. */
const CANCELLED_WITHIN_MS = 6_000;
/** What was done to the world is felt for so long, in milliseconds. */
const FELT_MS = 35_000;

/** What must hold when people interfere: a cancelled run ends soon and says what it did; any other is done, and has read all. */
export function restlessFaults(account: Account, { result }: { readonly result: string }): string[] {
  const { entries, history } = account;
  const cancelled = entries.some(({ event }) => event.type === 'CancelRequested');
  const end = entries.find(({ event }) => event.type === 'RunCancelled' || event.type === 'RunCompleted')?.event;
  if (end?.type === 'RunCancelled') {
    return cancelled ? [...soon(account), ...honest(account, end.data.effects)] : ['Nobody has cancelled the run.'];
  }
  if (end?.type !== 'RunCompleted') return [`The run came to ${account.result}.`];
  const items = JSON.stringify(end.data.items);
  const done = result.includes(items) ? [] : [`The run ended with ${items}.`];
  return history && history.run.unread.length > 0 ? [...done, 'A message was accepted and never read.'] : done;
}

function soon({ entries, ledger }: Account): string[] {
  const asked = entries.find(({ event }) => event.type === 'CancelRequested')?.at ?? 0;
  const tookMs = (entries.at(-1)?.at ?? 0) - asked;
  const calm = ledger.disturbances.every(({ at, until }) => at > asked + tookMs || until + FELT_MS < asked);
  return calm && tookMs > CANCELLED_WITHIN_MS ? [`The cancelled run went on for ${Math.round(tookMs)} ms.`] : [];
}

function honest(
  { ledger, entries }: Account,
  { executed, inDoubt }: { readonly executed: number; readonly inDoubt: number },
): string[] {
  const end = entries.at(-1)?.at ?? 0;
  const calls = new Set(ledger.effects.filter(({ at }) => at < end).map(({ callId }) => callId)).size;
  if (calls <= executed + inDoubt) return [];
  return [`${calls} calls took effect, and the cancelled run tells of ${executed} and ${inDoubt} in doubt.`];
}
