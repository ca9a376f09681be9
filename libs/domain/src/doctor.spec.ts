import { type Caps, Caps as CapsSchema, momentOf, RunId, SERVICES, type ServiceAnswer } from '#contracts';
import { facts, given } from '#testing';
import {
  type Append,
  check,
  judgeAppend,
  judgeBus,
  judgeDisk,
  judgeGateway,
  judgeKey,
  judgeLog,
  judgeMirror,
  judgeParked,
  judgeTaking,
  worst,
} from './doctor.js';
import {
  judgeCaps,
  judgeKept,
  judgeRebuilding,
  judgeTruth,
  judgeUntended,
  judgeWaiting,
  type Kept,
} from './doctor-runs.js';
import {
  judgeClocks,
  judgeKeeper,
  judgeNoticing,
  judgeServices,
  judgeVersions,
  type Noticing,
} from './doctor-services.js';
import type { Run } from './run.js';

const run = RunId.parse('0198a6a2-0000-7000-8000-000000000001');
const NOW = Date.parse('2026-01-05T12:00:00.000Z');
const now = momentOf(NOW);
const ago = (ms: number): string => momentOf(NOW - ms);
const GIB = 1_024 ** 3;

const verdicts = (answers: readonly { readonly verdict: string }[]): readonly string[] =>
  answers.map(({ verdict }) => verdict);

describe('a check', () => {
  it('says of what it could not measure that it was not seen, never that it is good', () => {
    const unseen = check('log', 'Does it answer?', { unseen: 'Too far away.' }, judgeLog);
    expect(unseen).toEqual({
      id: 'log',
      question: 'Does it answer?',
      verdict: 'not-seen',
      measured: 'Too far away.',
      numbers: {},
    });
    expect(worst([unseen, { verdict: 'green' }])).toBe('not-seen');
    expect(worst([unseen, { verdict: 'amber' }])).toBe('amber');
    expect(worst([{ verdict: 'red' }, { verdict: 'amber' }])).toBe('red');
    expect(worst([])).toBe('green');
  });

  it.each([judgeLog, judgeBus, judgeGateway])(
    'goes red when a part that all need is away, amber when it is slow',
    (judge) => {
      expect(
        verdicts([
          judge({ tripsMs: [5, 1, 9] }),
          judge({ tripsMs: [300] }),
          judge({ tripsMs: [2_500] }),
          judge({ failed: 'No.' }),
        ]),
      ).toEqual(['green', 'amber', 'red', 'red']);
      expect(judge({ tripsMs: [5, 1, 9] }).numbers).toEqual({ medianMs: 5, slowestMs: 9 });
      expect(judge({ failed: 'No.' }).wayOut).toBeDefined();
    },
  );

  it('goes red when an append is refused, lost or takes too long', () => {
    const taken = (appendMs: number, readBack = true): Append => ({ appendMs, readBack, revision: 3 });
    expect(verdicts([judgeAppend(taken(5)), judgeAppend(taken(300)), judgeAppend(taken(3_000))])).toEqual([
      'green',
      'amber',
      'red',
    ]);
    expect(verdicts([judgeAppend(taken(5, false)), judgeAppend({ failed: 'Full.' })])).toEqual(['red', 'red']);
  });

  it('goes red when the mirror stands', () => {
    const behind = (oldestMs: number) => judgeMirror({ behind: 2, oldestMs });
    expect(verdicts([judgeMirror({ behind: 0, oldestMs: 0 }), behind(100), behind(5_000), behind(60_000)])).toEqual([
      'green',
      'green',
      'amber',
      'red',
    ]);
  });

  it('shows why the newest message was parked', () => {
    expect(judgeParked({ total: 0 }).verdict).toBe('green');
    const newest = { subject: 'baton.work.run.advance.x', reason: 'max-deliveries', error: 'It hung.', at: now };
    expect(judgeParked({ total: 3, newest })).toMatchObject({
      verdict: 'amber',
      measured: expect.stringContaining('It hung.'),
    });
  });

  it('goes red when nobody takes the work, amber when it piles up', () => {
    const pending = (count: number) => [{ consumer: 'c', state: { pending: count, ackPending: 0 } }];
    expect(verdicts([judgeTaking(pending(3), 2), judgeTaking(pending(50), 2), judgeTaking(pending(50), 0)])).toEqual([
      'green',
      'amber',
      'green',
    ]);
    expect(judgeTaking([{ consumer: 'coordinator-advance-run', state: 'missing' }], 0)).toMatchObject({
      verdict: 'red',
      measured: expect.stringContaining('coordinator-advance-run'),
    });
  });

  it('goes red on the fullest disk', () => {
    const room = (freeBytes: number) => [
      { whose: 'one', freeBytes: 99 * GIB, totalBytes: 100 * GIB },
      { whose: 'other', freeBytes, totalBytes: 100 * GIB },
    ];
    expect(verdicts([judgeDisk(room(50 * GIB)), judgeDisk(room(GIB)), judgeDisk(room(GIB / 10))])).toEqual([
      'green',
      'amber',
      'red',
    ]);
    expect(judgeDisk(room(GIB)).measured).toContain('other');
  });

  it('goes red when everybody can read the key', () => {
    const mode = (bits: number) => judgeKey({ mode: 0o100_000 | bits, file: '/key' });
    expect(verdicts([mode(0o600), mode(0o640), mode(0o644), judgeKey('variable')])).toEqual([
      'green',
      'amber',
      'red',
      'green',
    ]);
    expect(mode(0o644)).toMatchObject({ wayOut: 'chmod 600 /key', numbers: { mode: 0o644 } });
  });

  it('goes red when nobody starts again what dies', () => {
    expect(verdicts([judgeKeeper(true), judgeKeeper(false)])).toEqual(['green', 'red']);
  });
});

const answer = (service: ServiceAnswer['service'], host = 'one'): { answer: ServiceAnswer; afterMs: number } => ({
  answer: { service, id: `${service}-1`, version: '1', host, pid: 7, startedAt: now, now },
  afterMs: 1,
});

describe('services', () => {
  it('are missed by name', () => {
    const all = SERVICES.map((name) => answer(name));
    expect(judgeServices(all).verdict).toBe('green');
    expect(judgeServices(all.slice(1))).toMatchObject({
      verdict: 'red',
      measured: expect.stringContaining('No gateway'),
    });
  });

  it('are to be two of each where there is more than one machine', () => {
    const [one, two] = ['one', 'two'].map((host) => SERVICES.map((name) => answer(name, host)));
    expect(judgeServices([...(one ?? []), ...(two ?? [])]).verdict).toBe('green');
    expect(judgeServices([...(one ?? []), ...(two ?? []).slice(1)])).toMatchObject({
      verdict: 'amber',
      measured: expect.stringContaining('one gateway only'),
    });
  });

  it('are of one version', () => {
    const of = (...versions: string[]) =>
      judgeVersions(versions.map((version, place) => ({ who: `s${place}`, version })));
    expect(of('1', '1').verdict).toBe('green');
    expect(of('1', '2')).toMatchObject({ verdict: 'red', measured: expect.stringContaining('1: s0; 2: s1') });
  });

  it('have clocks that agree, as far as it can be known', () => {
    const off = (skewMs: number, unsureMs = 1) =>
      judgeClocks([
        { who: 'log', skewMs, unsureMs },
        { who: 'near', skewMs: 0, unsureMs: 1 },
      ]);
    expect(verdicts([off(0), off(-5_000), off(60_000), off(60_000, 59_900)])).toEqual([
      'green',
      'amber',
      'red',
      'green',
    ]);
    expect(off(-5_000).measured).toContain('The clock of log is 5.0 s behind');
  });
});

describe('the noticing of death', () => {
  const sweeper = { silenceMs: 5_000, segments: 2, hearingMs: 60_000, quietestMs: 500 };
  const noticing = (more: Partial<Noticing> = {}) =>
    judgeNoticing({ sweepers: [sweeper], liveSegments: 2, silentMs: [400, 600], noticedMs: [5_100], ...more });

  it('tells the silence that is allowed, what is heard now and what was noticed', () => {
    const { verdict, measured } = noticing();
    expect(verdict).toBe('green');
    expect(measured).toBe(
      'After 5.0 s of silence, sooner when nobody answers. 1 sweeper hears 2 segments, the quietest heard 600 ms ago. The last 1 silent death in the log: declared after 5.1 s of silence at most.',
    );
  });

  it('goes red without a sweeper, or with one that is deaf', () => {
    expect(noticing({ sweepers: [] }).verdict).toBe('red');
    expect(noticing({ sweepers: [{ silenceMs: 5_000, segments: 2 }] }).verdict).toBe('red');
  });

  it('goes red when a segment is silent for longer than allowed and nobody has said so', () => {
    expect(noticing({ silentMs: [400, 11_000] }).verdict).toBe('red');
  });

  it('goes amber when the silence that is allowed is long', () => {
    expect(noticing({ sweepers: [{ ...sweeper, silenceMs: 60_000 }] }).verdict).toBe('amber');
  });
});

const { requested, scheduled, started, ended, completed } = facts;
const at = (state: Run, ms: number): Pick<Run, 'relay' | 'since'> => ({ relay: state.relay, since: ago(ms) });

describe('the runs', () => {
  it('cannot be rebuilt when one of them differs', () => {
    const known = { open: 2, rebuilt: 2, fromNotes: 1, requests: 9, tookMs: 100 };
    expect(judgeRebuilding({ ...known, faults: [] }).verdict).toBe('green');
    expect(judgeRebuilding({ ...known, rebuilt: 1, faults: [] }).measured).toContain('of 2');
    expect(judgeRebuilding({ ...known, faults: [{ run, fault: 'turn 3 has another digest' }] })).toMatchObject({
      verdict: 'red',
      measured: expect.stringContaining('turn 3'),
    });
  });

  it('lack no cap, keep to the maxima, and have a price', () => {
    const caps = CapsSchema.parse({});
    const of = (more: Partial<Caps> = {}, withoutPrice = false) => [
      { who: 'agent x', caps: { ...caps, ...more }, withoutPrice },
    ];
    expect(judgeCaps(of(), {}).verdict).toBe('green');
    expect(judgeCaps(of({ tokens: Number.MAX_SAFE_INTEGER }), {})).toMatchObject({
      verdict: 'red',
      measured: expect.stringContaining('caps.tokens of agent x'),
    });
    expect(judgeCaps(of(), { dollars: 5 })).toMatchObject({
      verdict: 'amber',
      measured: expect.stringContaining('caps.dollars'),
    });
    expect(judgeCaps(of({}, true), {}).verdict).toBe('amber');
  });

  it('are paid for only while they work', () => {
    const works = given(requested(), scheduled(), started()).run;
    const over = given(requested(), scheduled(), started(), ended('finished'), completed()).run;
    const rests = given(requested(), scheduled(), started(), ended('waiting')).run;
    const keeps = (what: Kept['holding']['what'], state: Kept['run']) =>
      judgeKept([{ holding: { runId: run, what, segment: 1 }, who: 'w on one', run: state }], 2, now);
    const long = 600_000;
    expect(verdicts([keeps('call', at(works, long)), keeps('segment', at(works, long))])).toEqual(['green', 'green']);
    expect(
      verdicts([keeps('server', at(over, long)), keeps('segment', at(over, long)), keeps('call', undefined)]),
    ).toEqual(['red', 'red', 'red']);
    expect(verdicts([keeps('server', at(rests, long)), keeps('segment', at(rests, long))])).toEqual(['amber', 'red']);
    expect(verdicts([keeps('server', at(over, 5_000)), keeps('segment', at(rests, 5_000))])).toEqual([
      'green',
      'green',
    ]);
  });

  it('are shown as they are', () => {
    expect(judgeTruth({ compared: 3, behind: [], slowestMs: 5 }).verdict).toBe('green');
    expect(judgeTruth({ compared: 3, behind: [{ run, events: 2 }], slowestMs: 5 }).verdict).toBe('red');
  });

  it('are looked after: the coordinator in time, a runner when one is free', () => {
    const waits = (whose: 'coordinator' | 'runner', ms: number) =>
      judgeUntended({ open: 3, waiting: [{ run, for: whose, ms }] });
    expect(
      verdicts([waits('coordinator', 1_000), waits('coordinator', 60_000), waits('coordinator', 300_000)]),
    ).toEqual(['green', 'amber', 'red']);
    expect(waits('runner', 300_000)).toMatchObject({
      verdict: 'amber',
      wayOut: expect.stringContaining('segment-runners'),
    });
  });

  it('that wait for people are told with how long they have waited', () => {
    expect(judgeWaiting({ questions: [], halted: [] }, now).verdict).toBe('green');
    const questions = [{ run, since: ago(3_600_000), until: momentOf(NOW + 60_000) }];
    expect(judgeWaiting({ questions, halted: [{ run, since: ago(60_000) }] }, now)).toMatchObject({
      verdict: 'amber',
      numbers: { questions: 1, halted: 1, longestMs: 3_600_000 },
    });
  });
});
