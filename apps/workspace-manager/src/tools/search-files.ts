import { Worker } from 'node:worker_threads';
import type { z } from 'zod';
import type { builtInTools } from '#contracts';
import { FileRefused } from '../errors.js';
import type { FileTools } from './file-tools.js';
import { patternOfGlob } from './glob.js';

/** How many lines are answered when the input does not say. */
const LINES = 200;
/** A search that takes longer is ended; most likely its pattern backtracks without end. */
const LONGEST_MS = 30_000;
/** What a worker's memory may come to; the largest file that is searched has 16 MiB. */
const WORKER_MB = 256;

/**
 * Looks for lines in a thread of its own: the pattern is the model's, and one that never comes to an end must not hold up
 * anybody else. It answers each message, a path and perhaps a text, with the lines that match and their numbers.
 */
const SEARCHER = `
const { parentPort, workerData } = require('node:worker_threads');
const line = new RegExp(workerData.pattern, workerData.flags);
const path = workerData.glob === undefined ? undefined : new RegExp(workerData.glob, 's');
parentPort.on('message', ({ name, text }) => {
  if (text === undefined) return parentPort.postMessage(path === undefined || path.test(name));
  const found = [];
  let number = 0;
  for (const one of text.split('\\n')) {
    number += 1;
    if (found.length < workerData.limit && line.test(one)) found.push(number + ':' + one.slice(0, 500));
  }
  parentPort.postMessage(found);
});
`;

type Input = z.infer<(typeof builtInTools)['search_files']['input']>;

/** @throws FileRefused with a text for the model */
export async function searchFiles(files: FileTools, input: Input, signal: AbortSignal): Promise<Buffer> {
  const { path = '.', limit = LINES } = input;
  const searcher = new Searcher(input, limit, AbortSignal.any([signal, AbortSignal.timeout(LONGEST_MS)]));
  const lines: string[] = [];
  let unread = 0;
  try {
    const whole = await files.walk(path, async (name, content) => {
      if (!(await searcher.wants(name))) return true;
      const bytes = await content().catch(() => undefined);
      if (bytes === undefined) unread += 1;
      else if (!bytes.includes(0)) lines.push(...(await searcher.linesOf(bytes)).map((line) => `${name}:${line}`));
      return lines.length <= limit;
    });
    const notes = [
      ...(whole && lines.length <= limit ? [] : [`[… more than ${limit} lines match …]`]),
      ...(unread === 0 ? [] : [`[${unread} files are too large or cannot be read]`]),
    ];
    const found = lines.length === 0 ? ['No line matches.'] : lines.slice(0, limit);
    return Buffer.from([...found, ...notes].join('\n'));
  } finally {
    await searcher.end();
  }
}

class Searcher {
  private readonly worker: Worker;
  private readonly failed: Promise<never>;

  constructor({ pattern, glob, ignore_case: ignoreCase = false }: Input, limit: number, signal: AbortSignal) {
    const flags = ignoreCase ? 'iu' : 'u';
    const workerData = { pattern, flags: usable(pattern, flags), glob: glob && patternOfGlob(glob), limit: limit + 1 };
    const resourceLimits = { maxOldGenerationSizeMb: WORKER_MB };
    this.worker = new Worker(SEARCHER, { eval: true, env: {}, workerData, resourceLimits });
    this.failed = new Promise((_, reject) => {
      this.worker.once('error', (error) => reject(new FileRefused(`The search failed: ${error.message}`)));
      signal.addEventListener('abort', () => {
        reject(new FileRefused(`The search took too long: make the pattern simpler, or name a path or a glob.`));
      });
    });
    this.failed.catch(() => undefined);
  }

  wants(name: string): Promise<boolean> {
    return this.ask<boolean>({ name });
  }

  linesOf(content: Buffer): Promise<string[]> {
    return this.ask<string[]>({ text: content.toString('utf8') });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }

  private ask<T>(message: object): Promise<T> {
    const answer = new Promise<T>((resolve) => this.worker.once('message', resolve));
    this.worker.postMessage(message);
    return Promise.race([answer, this.failed]);
  }
}

/** The flags with which the pattern can be compiled: patterns of older style are no faults. */
function usable(pattern: string, flags: string): string {
  try {
    return new RegExp(pattern, flags).flags;
  } catch {
    try {
      return new RegExp(pattern, flags.replace('u', '')).flags;
    } catch (error) {
      throw new FileRefused(`The pattern is no regular expression: ${error instanceof Error ? error.message : ''}.`);
    }
  }
}
