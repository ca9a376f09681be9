import type { RunView } from '#contracts';
import { count, inTime } from '#domain';

/** A run's view, a line for each thing that there is to say. */
export function inWords(view: RunView): string {
  const lines: readonly (readonly [string, string | undefined])[] = [
    ['status', view.status],
    ['now', view.summary],
    ['as of', `revision ${view.asOf.revision} (${view.asOf.type}, ${view.asOf.at})`],
    ['agent', `${view.agent.name} version ${view.agent.version}`],
    ['items', itemsOf(view)],
    ['segment', segmentOf(view)],
    ['activity', view.activity && activityOf(view.activity)],
    ['heartbeat', view.heartbeat && heartbeatOf(view.heartbeat)],
    ['relay', `${count(view.handoffs, 'handoff')}, ${count(view.restarts, 'restart')}`],
    ['calls', view.openCalls.map(({ callId, tool }) => `${tool} (${callId})`).join(', ') || undefined],
    ['waits for', waitsFor(view)],
    ['unread', view.unread === undefined ? undefined : count(view.unread, 'message')],
    ['servers', serversOf(view)],
    ['tokens', view.usage && usageOf(view.usage)],
    ['caps', capsOf(view)],
    ['result', view.result],
    ['reason', view.reason],
  ];
  const told = lines.flatMap(([name, text]) =>
    text === undefined || text === '' ? [] : [`  ${name.padEnd(10)}${text}`],
  );
  return [`Run ${view.id}`, ...told].join('\n');
}

function itemsOf({ items }: RunView): string | undefined {
  if (items.total === 0) return undefined;
  const failed = items.failed === 0 ? '' : `, ${items.failed} failed`;
  return `${items.done} of ${items.total} done${failed}${items.current === undefined ? '' : `; ${items.current} is in work`}`;
}

function segmentOf({ segment }: RunView): string | undefined {
  if (segment === undefined) return undefined;
  const pid = segment.pid === undefined ? '' : `, process ${segment.pid}`;
  const deadline = segment.deadline === undefined ? '' : `, until ${segment.deadline}`;
  return `${segment.number} of at most ${segment.of}${pid}${deadline}`;
}

const activityOf = ({ ageMs, ...activity }: NonNullable<RunView['activity']>): string =>
  `${Object.values(activity).slice(0, 2).map(String).join(' ')} for ${inTime(ageMs)}`;

function heartbeatOf({ verdict, ageMs, heldUpMs }: NonNullable<RunView['heartbeat']>): string {
  const last = ageMs === undefined ? [] : [`the last one ${inTime(ageMs)} ago`];
  const heldUp = heldUpMs === undefined ? [] : [`its processor was with others for ${inTime(heldUpMs)}`];
  return [verdict, ...last, ...heldUp].join(', ');
}

/** What a person has to decide, and the commands that do it. */
const waitsFor = ({ id, waitsFor: calls = [] }: RunView): string | undefined =>
  calls
    .flatMap(({ callId, tool, input, inputDigest, kind, expiresAt }) => {
      const about = `${kind} of ${tool} ${JSON.stringify(input)} until ${expiresAt}:`;
      const call = `${id} ${callId}`;
      if (kind === 'answer') return [`${about} npx baton answer ${call} TEXT`];
      const digest = `--digest ${inputDigest.slice(0, 8)}`;
      const deny = `npx baton deny ${call} ${digest} --reason TEXT`;
      return kind === 'approval'
        ? [`${about} npx baton approve ${call} ${digest}`, `or: ${deny}`]
        : [`${about} npx baton approve ${call} ${digest} runs it again`, `or: ${deny} --decision done|not-done`];
    })
    .join('\n            ') || undefined;

const serversOf = ({ unavailableServers = [] }: RunView): string | undefined =>
  unavailableServers.map(({ server, reason }) => `${server} cannot be reached: ${reason}`).join('; ') || undefined;

function usageOf({ inputTokens, outputTokens, cacheReadTokens, dollars }: NonNullable<RunView['usage']>): string {
  const cost = dollars === undefined ? '' : `, ${dollars.toFixed(4)} US dollars`;
  return `${inputTokens} in, ${cacheReadTokens} from the cache, ${outputTokens} out${cost}`;
}

const capsOf = ({ caps }: RunView): string =>
  Object.entries(caps)
    .map(([cap, { used, limit }]) => `${cap} ${used}/${limit}`)
    .join(', ');
