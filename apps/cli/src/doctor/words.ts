import type { Check, Examination, Verdict } from '#contracts';

const SIGNS: Readonly<Record<Verdict, string>> = {
  green: 'green   ',
  amber: 'amber   ',
  red: 'RED     ',
  'not-seen': 'not seen',
};

/** The examination for the terminal: what is wrong first. */
export function examinationInWords({ at, version, checks }: Examination): string {
  const order: readonly Verdict[] = ['red', 'amber', 'not-seen', 'green'];
  const sorted = order.flatMap((verdict) => checks.filter((one) => one.verdict === verdict));
  const counts = order.map((verdict) => [verdict, checks.filter((one) => one.verdict === verdict).length] as const);
  const sum = counts
    .filter(([, count]) => count > 0)
    .map(([verdict, count]) => `${count} ${verdict.replace('-', ' ')}`);
  return [`Measured at ${at} by version ${version}: ${sum.join(', ')}.`, '', ...sorted.flatMap(checkInWords)].join(
    '\n',
  );
}

function checkInWords({ question, verdict, measured, wayOut }: Check): readonly string[] {
  const indent = ' '.repeat(SIGNS.green.length + 2);
  return [
    `${SIGNS[verdict]}  ${question}`,
    `${indent}${measured}`,
    ...(wayOut === undefined || verdict === 'green' ? [] : [`${indent}→ ${wayOut}`]),
  ];
}
