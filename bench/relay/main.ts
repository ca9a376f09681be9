import { parseArgs } from 'node:util';
import type { Bench } from '../bench.js';

export const bench: Bench = {
  run: (words) => {
    parseArgs({ args: [...words], options: { json: { type: 'boolean' }, only: { type: 'string' } } });
    return Promise.resolve();
  },
};
