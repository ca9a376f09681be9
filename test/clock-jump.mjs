// Preloaded (`node --import`) into the processes of a cluster: moves the wall clock of each by as many milliseconds as the
// file in `?file=` says for a part of its program's path, as soon as it says so. Monotonic clocks stay as they are.
import { readFileSync } from 'node:fs';

const file = new URL(import.meta.url).searchParams.get('file');
const [, program = ''] = process.argv;
const RealDate = Date;
const realNow = Date.now;
let offset = 0;

function look() {
  const offsets = Object.entries(JSON.parse(readFileSync(file, 'utf8')));
  offset = offsets.find(([part]) => program.includes(part))?.[1] ?? 0;
}

RealDate.now = () => realNow() + offset;
globalThis.Date = new Proxy(RealDate, {
  construct: (target, given, made) => Reflect.construct(target, given.length > 0 ? given : [target.now()], made),
});
look();
setInterval(look, 50).unref();
