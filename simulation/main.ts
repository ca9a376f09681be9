import { playCase } from './play-case.js';
import { stopwatch } from './world/virtual-time.js';

const began = stopwatch();
const trace = process.argv.includes('--trace');
const played = await playCase({ seed: 1, keepBoundaries: true, tell: trace ? (line) => process.stdout.write(`${line}\n`) : undefined });
process.stdout.write(`${JSON.stringify({ endedAt: played.endedAt, places: played.world.places, tasks: played.world.scheduler.tasksRun, surprises: played.world.ledger.surprises, ms: stopwatch() - began })}\n`);
for (let i=0;i<5;i++) { const b = stopwatch(); const p = await playCase({seed: i+2}); process.stdout.write(`${p.endedAt} ${p.world.places} ${p.world.scheduler.tasksRun} ${stopwatch()-b}\n`); }
