import { headline, type TortureReport } from './report.js';

type TestCase = TortureReport['cases'][number];

/** The report as JUnit XML: a test case for each point, and a skipped one for each tool that is not safe to repeat. */
export function junitOf(report: TortureReport): string {
  const { agent, cases, findings, unsafe, seconds, seed } = report;
  const failed = cases.filter((one) => findings.some((finding) => isOf(one, finding)));
  const skipped = cases.filter((one) => !one.struck && !failed.includes(one));
  const attributes = [
    `name="baton torture ${escaped(agent)}"`,
    `tests="${cases.length + unsafe.length}"`,
    `failures="${failed.length}"`,
    'errors="0"',
    `time="${seconds.toFixed(3)}"`,
  ].join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    // Readers that go by a schema know `skipped` of a suite only.
    `<testsuites ${attributes}>`,
    `  <testsuite ${attributes} skipped="${skipped.length + unsafe.length}">`,
    `    <properties><property name="seed" value="${seed}"/></properties>`,
    ...cases.map((one) => caseOf(one, report)),
    ...unsafe.map(({ tool, moment, why, wayOut, repeat }) => {
      const message = `${tool} is not safe to repeat; ${wayOut}`;
      const detail = `${moment}. ${why} Again: ${repeat}`;
      return `    <testcase classname="torture.tools" name="${escaped(tool)}" time="0"><skipped message="${escaped(message)}"/><system-out>${escaped(detail)}</system-out></testcase>`;
    }),
    `    <system-out>${escaped(headline(report))}</system-out>`,
    '  </testsuite>',
    '</testsuites>',
    '',
  ].join('\n');
}

const isOf = ({ point, seed }: TestCase, finding: TortureReport['findings'][number]): boolean =>
  finding.point === point && finding.seed === seed;

function caseOf(one: TestCase, { findings, seed: firstSeed }: TortureReport): string {
  const { point, moment, ms, seed, struck } = one;
  const [kind = ''] = point.split(':');
  // The same name in every session, whatever its seed, so that what reads many of them can follow it.
  const round = seed === firstSeed ? '' : ` (round ${seed - firstSeed + 1})`;
  const name = escaped(`${point} ${moment}${round}`);
  const opening = `    <testcase classname="torture.${kind}" name="${name}" time="${(ms / 1_000).toFixed(3)}"`;
  const failures = findings
    .filter((finding) => isOf(one, finding))
    .map(
      ({ kind: type, sentence, repeat }) =>
        `      <failure type="${type}" message="${escaped(sentence)}">${escaped(`Again: ${repeat}`)}</failure>`,
    );
  if (failures.length > 0) return [`${opening}>`, ...failures, '    </testcase>'].join('\n');
  return struck
    ? `${opening}/>`
    : `${opening}><skipped message="The run was over before this moment came."/></testcase>`;
}

const ENTITIES: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  '"': '&quot;',
  "'": '&apos;',
};

/** Control characters, which XML cannot hold at all, are left out. */
const escaped = (text: string): string =>
  text.replaceAll(/[^\t\n\r\u0020-\uFFFF]/g, '').replaceAll(/[<>&"']/g, (character) => ENTITIES[character] ?? '');
