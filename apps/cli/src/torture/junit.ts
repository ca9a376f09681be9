import { headline, type TortureReport } from './report.js';

/** The report as JUnit XML: a test case for each point, and a skipped one for each tool that is not safe to repeat. */
export function junitOf(report: TortureReport): string {
  const { agent, cases, findings, unsafe, seconds, seed } = report;
  const failed = new Set(findings.map(({ point }) => point));
  const attributes = [
    `name="baton torture ${escaped(agent)}"`,
    `tests="${cases.length + unsafe.length}"`,
    `failures="${failed.size}"`,
    'errors="0"',
    `skipped="${unsafe.length}"`,
    `time="${seconds.toFixed(3)}"`,
  ].join(' ');
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites ${attributes}>`,
    `  <testsuite ${attributes}>`,
    `    <properties><property name="seed" value="${seed}"/></properties>`,
    ...cases.map((done) => caseOf(done, report)),
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

function caseOf({ point, moment, ms }: TortureReport['cases'][number], { findings }: TortureReport): string {
  const [kind = ''] = point.split(':');
  const opening = `    <testcase classname="torture.${kind}" name="${escaped(`${point} ${moment}`)}" time="${(ms / 1_000).toFixed(3)}"`;
  const of = findings.filter((finding) => finding.point === point);
  if (of.length === 0) return `${opening}/>`;
  const failures = of.map(
    ({ kind: type, sentence, repeat }) =>
      `      <failure type="${type}" message="${escaped(sentence)}">${escaped(`Again: ${repeat}`)}</failure>`,
  );
  return [`${opening}>`, ...failures, '    </testcase>'].join('\n');
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
