import { caseOf, inWords, play, undisturbed } from './cases.js';
import { accountOf } from './check/account.js';
import { judge } from './check/laws.js';
import { rememberSchemas } from './world/remembered-schemas.js';
import { stopwatch } from './world/virtual-time.js';

rememberSchemas();
const arg = (n: string, d: number) => {
  const i = process.argv.indexOf(n);
  return i < 0 ? d : Number(process.argv[i + 1]);
};
const trace = process.argv.includes('--trace');
const base = await undisturbed();
const a = await accountOf(base);
const expected = {
  contextDigest: a.contextDigest,
  requestDigests: a.requestDigests,
  result: a.result,
  endsAt: base.endedAt ?? 0,
};
process.stdout.write(
  `${JSON.stringify({ ...expected, n: base.boundaries.length, broken: judge(a, expected).broken })}\n`,
);
const began = stopwatch();
const late: number[] = [];
const step = arg('--step', 1);
const from = arg('--from', 1),
  count = arg('--seeds', 100);
let failed = 0;
for (let seed = from; seed < from + count * step; seed += step) {
  const c = caseOf(seed, base.boundaries);
  const p = await play(c, trace ? (l) => process.stdout.write(`${l}\n`) : undefined);
  const v = judge(await accountOf(p), expected);
  late.push(Math.round((p.endedAt ?? NaN) - expected.endsAt));
  if (v.broken.length > 0) {
    failed++;
    process.stdout.write(
      `${seed} ${inWords(c)} (${base.boundaries[c.faults[0]!.place - 1]?.role} ${base.boundaries[c.faults[0]!.place - 1]?.what}): ${v.broken.slice(0, 4).join(' | ')}\n`,
    );
  }
}
late.sort((x, y) => x - y);
process.stdout.write(
  `${failed} failed of ${count}, ${(stopwatch() - began) / count} ms each; late p50 ${late[late.length >> 1]} p90 ${late[Math.floor(late.length * 0.9)]} max ${late.at(-1)}\n`,
);
