// Runs examples/claude/agent.yaml on a Claude model, with a cluster of its own, and says what it has cost.
//   npm run setup && ANTHROPIC_API_KEY=… node examples/claude/run.mjs
// ANTHROPIC_BASE_URL: another endpoint that speaks the Messages API. BATON_PRICES: another table of prices.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { PriceTable } from '#contracts';
import { costOf, priceOf } from '#domain';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const data = ['--data', here('../../.baton/claude')];

function baton(args, stdio = ['ignore', 'pipe', 'inherit']) {
  const done = spawnSync(process.execPath, [here('../../bin/baton.mjs'), ...args, ...data], {
    stdio,
    maxBuffer: 1e9,
    encoding: 'utf8',
  });
  if (done.status !== 0) throw new Error(`\`baton ${args[0]}\` has failed`);
  return done.stdout;
}

/** What each turn and each summary has used. */
function usesOf(id) {
  const uses = [];
  let model = '';
  for (const line of baton(['events', id]).trim().split('\n')) {
    const { type, data: fact } = JSON.parse(line);
    if (type === 'RunRequested') model = fact.agent.spec.model.name;
    if (type === 'ModelTurnCompleted') uses.push({ model: fact.model, usage: fact.usage });
    if (type === 'ContextCompacted') uses.push({ model, usage: fact.usage });
  }
  return uses;
}

function bill(uses) {
  const prices = PriceTable.parse(
    JSON.parse(readFileSync(process.env.BATON_PRICES ?? here('../../prices.json'), 'utf8')),
  );
  const sum = (count) => uses.reduce((total, { usage }) => total + usage[count], 0);
  console.log(`\nturns              ${uses.length}`);
  console.log(`input tokens       ${sum('inputTokens')}`);
  console.log(`read from cache    ${sum('cacheReadTokens')}`);
  console.log(`written to cache   ${sum('cacheWriteTokens')}`);
  console.log(`output tokens      ${sum('outputTokens')}`);
  const costs = uses.map(({ model, usage }) => {
    const price = priceOf(prices, model);
    return price && costOf(usage, price);
  });
  const unknown = new Set(uses.filter((_, place) => costs[place] === undefined).map(({ model }) => model));
  if (unknown.size > 0) return console.log(`cost               unknown: no price for ${[...unknown].join(', ')}`);
  const dollars = costs.reduce((total, cost) => total + cost, 0) / 1e6;
  console.log(`cost               $${dollars.toFixed(6)} (prices read on ${prices.readOn} from ${prices.source})`);
}

if (!process.env.ANTHROPIC_API_KEY) {
  console.error('ANTHROPIC_API_KEY is not set: this example runs on a real model and costs money.');
  process.exit(1);
}
baton(['up', '--detach'], 'inherit');
try {
  const run = JSON.parse(baton(['run', here('agent.yaml'), '--items', here('items.json'), '--json']));
  baton(['watch', run.id], 'inherit');
  bill(usesOf(run.id));
} finally {
  baton(['down'], 'inherit');
}
