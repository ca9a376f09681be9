import { badgeOf } from './badge.js';
import { junitOf } from './junit.js';
import type { Moments } from './points.js';
import { isGood, reportInWords, reportOn } from './report.js';
import type { Case } from './torture.js';

const moments: Moments = { appends: ['SegmentStarted', 'SegmentEnded'], decisions: [], calls: ['refund'] };
const quiet: Case = {
  point: { kind: 'child-killed-before', place: 1 },
  seed: 7,
  ms: 1_500,
  struck: true,
  findings: [],
  unsafe: [],
};
const doubtful: Case = {
  ...quiet,
  point: { kind: 'workspace-killed-in-call', place: 1 },
  unsafe: [{ tool: 'refund', callId: '1-0', why: 'It was out.', settledBy: 'person', wayOut: 'give it a probe' }],
};
const bad: Case = {
  ...quiet,
  point: { kind: 'child-killed-after', place: 2 },
  findings: [{ kind: 'doubled', sentence: 'The call 1-0 ("<refund>" & \u0001more) was executed twice.' }],
};
const told = { agent: 'payer', command: 'npx baton torture payer.yaml --items items.csv', seconds: 12 };
const reportOf = (...cases: readonly Case[]) =>
  reportOn({ seed: 7, available: 40, cases, moments, leftOut: [], isStopped: false }, told);
/** Of a run that has no other points than these. */
const wholeReportOf = (...cases: readonly Case[]) => {
  const available = new Set(cases.map(({ point }) => `${point.kind} ${point.place}`)).size;
  return reportOn({ seed: 7, available, cases, moments, leftOut: [], isStopped: false }, told);
};

describe('the report of a torture', () => {
  it('has its verdict in one line, and is good while nothing was lost, doubled or changed', () => {
    expect(reportInWords(reportOf(quiet, doubtful))).toMatch(
      /^2 of 40 crash points, 0 lost, 0 doubled, 1 tool not safe to repeat: refund\n/,
    );
    expect(isGood(reportOf(quiet, doubtful))).toBe(true);
    expect(reportInWords(reportOf(quiet, bad))).toMatch(/^2 of 40 crash points, 0 lost, 1 doubled, 0 tools/);
    expect(isGood(reportOf(quiet, bad))).toBe(false);
  });

  it('says of each finding where it was, and the command that repeats just that point', () => {
    expect(reportOf(bad).findings).toMatchObject([
      {
        point: 'child-killed-after:2',
        seed: 7,
        repeat: 'npx baton torture payer.yaml --items items.csv --seed 7 --point child-killed-after:2',
      },
    ]);
    expect(reportInWords(reportOf(bad))).toContain('append 2 (SegmentEnded): the segment is killed when');
  });

  it('names a tool that is not safe once, with how many of its calls were in doubt and the way out', () => {
    expect(reportOf(doubtful, doubtful).unsafe).toMatchObject([
      { tool: 'refund', calls: 2, wayOut: 'give it a probe' },
    ]);
    expect(reportInWords(reportOf(doubtful))).toMatch(/A person was asked\.[\s\S]*way out {2}give it a probe/);
  });

  it('tells of a tool where its own call was struck, rather than one beside it', () => {
    const beside: Case = { ...doubtful, point: { kind: 'workspace-killed-in-call', place: 2 } };
    expect(reportOf(beside, doubtful).unsafe).toMatchObject([{ point: 'workspace-killed-in-call:1', calls: 2 }]);
    expect(reportOf(beside).unsafe).toMatchObject([{ point: 'workspace-killed-in-call:2', calls: 1 }]);
  });

  it('says how many points there are, and what was not played', () => {
    const words = reportInWords(reportOf(quiet, { ...doubtful, struck: false }));
    expect(words).toContain("38 of the run's 40 points were not played: --points 40 plays all of them");
    expect(words).toContain('The moments of 1 point did not come');
    expect(words).toContain('outside of their workspaces');
    expect(reportInWords(wholeReportOf(quiet, doubtful))).toMatch(
      /^2 crash points, [^]*The run has 2 points, and all of them were played\./,
    );
  });

  it('counts a point once that was played with many seeds, and repeats it with the one that found something', () => {
    const again = wholeReportOf(quiet, doubtful, { ...quiet, seed: 8 }, { ...bad, point: quiet.point, seed: 9 });
    expect(reportInWords(again)).toMatch(/^2 crash points played 4 times, 0 lost, 1 doubled,[^]*seeds were 7 to 9\./);
    expect(again.findings).toMatchObject([
      { repeat: expect.stringContaining('--seed 9 --point child-killed-before:1') },
    ]);
  });
});

describe('JUnit XML', () => {
  const xml = junitOf(reportOf(quiet, doubtful, bad));

  it('has a test case for each point, a failure for each finding and a skipped one for each tool in doubt', () => {
    expect(xml).toMatch(/<testsuites [^>]*tests="4" failures="1" errors="0" time="12.000">/);
    expect(xml).toMatch(/<testsuite [^>]*tests="4" failures="1" errors="0" time="12.000" skipped="1">/);
    expect(xml.match(/<testcase /g)).toHaveLength(4);
    expect(xml).toMatch(
      /<testcase classname="torture.child-killed-before" name="child-killed-before:1 [^"]*" time="1.500"\/>/,
    );
    expect(xml).toMatch(/<skipped message="refund is not safe to repeat; give it a probe"\/>/);
  });

  it('skips a point whose moment did not come', () => {
    const missed = junitOf(reportOf(quiet, { ...doubtful, struck: false, unsafe: [] }));
    expect(missed).toMatch(/<testsuite [^>]*tests="2" failures="0" errors="0" time="12.000" skipped="1">/);
    expect(missed).toMatch(/name="workspace-killed-in-call:1 [^>]*><skipped message="The run was over/);
  });

  it('names a point that was played again by its round, and fails just that one', () => {
    const rounds = junitOf(reportOf(quiet, { ...bad, point: quiet.point, seed: 8 }));
    expect(rounds.match(/<testcase /g)).toHaveLength(2);
    expect(rounds).toMatch(/in the log" time="1.500"\/>/);
    expect(rounds).toMatch(/in the log \(round 2\)" time="1.500">\n *<failure type="doubled"/);
  });

  it('escapes what XML cannot hold', () => {
    expect(xml).toContain('message="The call 1-0 (&quot;&lt;refund&gt;&quot; &amp; more) was executed twice."');
    expect(xml).not.toContain('\u0001');
    expect(xml.match(/<(?!\/|\?)[a-z-]+(?=[ >/])/g)?.length).toBe(
      (xml.match(/<\/[a-z-]+>/g)?.length ?? 0) + (xml.match(/\/>/g)?.length ?? 0),
    );
  });
});

describe('the badge', () => {
  it.each<[string, readonly Case[], string, string]>([
    ['green when all is well', [quiet], '1 point, 0 lost, 0 doubled', '#2e7d32'],
    ['amber when a tool is not safe', [quiet, doubtful], '2 points, 0 lost, 0 doubled, 1 unsafe', '#b26a00'],
    ['red when something was found', [bad], '1 point, 1 finding', '#c62828'],
  ])('is %s', (_, cases, words, color) => {
    const svg = badgeOf(wholeReportOf(...cases));
    expect(svg).toMatch(/^<svg xmlns="http:\/\/www.w3.org\/2000\/svg"[\s\S]*<\/svg>\n$/);
    expect(svg).toContain(`>${words}</text>`);
    expect(svg).toContain(`fill="${color}"`);
  });
});
