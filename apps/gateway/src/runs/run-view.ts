import { millisOf, type RunId, type RunView } from '#contracts';
import { activityMsOf, capUses, currentItem, pendingQuestions, type Run, statusOf, summaryOf } from '#domain';
import type { Pulse } from './heartbeats.js';

/** What a run is, as it is told. @param now milliseconds since 1970 */
export function runView(id: RunId, run: Run, pulse: Pulse | undefined, now: number): RunView {
  const { agent, relay, settled } = run;
  const current = currentItem(run);
  const ended = relay.phase === 'ended' ? relay : undefined;
  return {
    id,
    agent: { name: agent.name as RunView['agent']['name'], version: agent.version },
    status: statusOf(run),
    summary: summaryOf(run),
    asOf: run.last,
    requestedAt: run.requestedAt,
    ...(ended ? { endedAt: run.since } : {}),
    ...segmentPart(run),
    ...(pulse ? pulsePart(pulse) : {}),
    items: { total: run.items.length, ...settled, ...(current ? { current: current.id } : {}) },
    handoffs: run.handoffs,
    restarts: run.deaths,
    openCalls: run.openCalls.flatMap(({ callId, tool, startedAt }) =>
      startedAt === undefined ? [] : [{ callId, tool, startedAt }],
    ),
    // A run that has ended uses up no more of its time.
    caps: capUses(run, ended ? millisOf(run.since) : now),
    ...peoplePart(run),
    ...serversPart(run),
    usage: { ...run.usage, ...(run.price === null ? {} : { dollars: run.microDollars / 1_000_000 }) },
    ...(ended ? { [ended.outcome === 'completed' ? 'result' : 'reason']: ended.reason } : {}),
  };
}

function segmentPart({ relay, segments, caps }: Run): Pick<RunView, 'segment'> {
  if (segments === 0) return {};
  const segment = { number: segments, of: caps.segments };
  if (relay.phase !== 'working') return { segment };
  const { startedAt, deadline, runner } = relay;
  return { segment: { ...segment, startedAt, deadline, runnerId: runner.runnerId, pid: runner.pid } };
}

function pulsePart({ verdict, beat }: Pulse): Pick<RunView, 'heartbeat' | 'activity'> {
  if (!beat) return { heartbeat: { verdict } };
  const { activity, heldUpMs } = beat.heartbeat;
  const heartbeat = { verdict, ageMs: beat.ageMs, ...(heldUpMs === undefined ? {} : { heldUpMs }) };
  return { heartbeat, activity: { ...activity, ageMs: activityMsOf(beat) } };
}

/** What people have to say, and what they have said that nobody has read yet. */
function peoplePart(run: Run): Pick<RunView, 'waitsFor' | 'unread'> {
  const waitsFor = pendingQuestions(run).map(({ callId, tool, input, question }) => {
    const { kind, inputDigest, since, expiresAt } = question;
    return { callId, tool, input: { ...input }, inputDigest, kind, since, expiresAt };
  });
  return {
    ...(waitsFor.length > 0 ? { waitsFor } : {}),
    ...(run.unread.length > 0 ? { unread: run.unread.length } : {}),
  };
}

function serversPart({ servers }: Run): Pick<RunView, 'unavailableServers'> {
  const unavailableServers = Object.values(servers).flatMap(({ discovery }) =>
    discovery.state === 'unavailable' ? [{ server: discovery.server, reason: discovery.reason }] : [],
  );
  return unavailableServers.length > 0 ? { unavailableServers } : {};
}
