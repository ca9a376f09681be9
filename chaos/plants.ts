import { cpSync, mkdtempSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../apps/cli/src/cluster/checkout.js';
import type { Kind } from './plan.js';

/** A bug for a copy of the build: one place of one module is another one. Nothing in the product knows of it. */
export interface Plant {
  readonly name: string;
  /** The module, without its ending; `was` is in it exactly once. */
  readonly module: string;
  readonly was: string;
  readonly becomes: string;
}

/** A bug that a session of chaos must find. */
export interface ChaosPlant extends Plant {
  /** The faults that must bring it to light, each once, or for so many minutes. */
  readonly kinds: readonly Kind[];
  readonly minutes?: number;
  /** What chaos must count more than none of. */
  readonly reveals: 'lost' | 'doubled' | 'lies' | 'untold';
}

export const PLANTS: readonly ChaosPlant[] = [
  {
    name: 'a segment asks for the calls of the one before under a new name',
    module: 'apps/segment-runner/src/child/workspace',
    was: 'tool: call.tool,',
    becomes: 'tool: call.tool, attempt: this.segmentLog.segment,',
    kinds: ['child', 'supervisor', 'childFrozen'],
    reveals: 'doubled',
  },
  {
    name: 'a segment does not mind that it is over',
    module: 'apps/segment-runner/src/child/segment-log',
    was: 'if (isFenced(run, this.segment)) {',
    becomes: 'if (isFenced(run, this.segment) && run.relay.phase === "ended") {',
    kinds: ['childFrozen'],
    // The workspace refuses it too: it shows only in one that was stopped while the model thought.
    minutes: 1.5,
    reveals: 'doubled',
  },
  {
    name: 'one command in ten is called done and was never run',
    module: 'apps/workspace-manager/src/commands',
    was: "words: ['bash', '-c', order.command]",
    becomes: "words: ['bash', '-c', Math.random() < 0.1 ? 'echo done' : order.command]",
    kinds: ['child'],
    reveals: 'lost',
  },
  {
    name: 'the status calls a run that recovers a working one',
    module: 'libs/domain/src/status',
    was: "return 'recovering';",
    becomes: "return 'working';",
    kinds: ['child', 'childFrozen', 'supervisor'],
    reveals: 'lies',
  },
  {
    name: 'the report does not tell who was presumed dead',
    module: 'libs/domain/src/incidents',
    was: 'return died(known, before, event.data, presumedDeadWords(before, event.data));',
    becomes: 'return known;',
    kinds: ['childFrozen'],
    reveals: 'untold',
  },
];

/** What the copy has of its own; the rest is that of the checkout. */
const COPIED = ['dist', 'scripts', 'package.json'];

/** A copy of the built checkout with the bug in it, its processes bundled anew; whoever asked for it removes it. */
export function plantedCheckout(plant: Plant, bundle: (folder: string) => void): string {
  const folder = mkdtempSync(join(tmpdir(), 'baton-planted-'));
  for (const name of readdirSync(root)) {
    if (COPIED.includes(name)) cpSync(join(root, name), join(folder, name), { recursive: true });
    else symlinkSync(join(root, name), join(folder, name));
  }
  const file = join(folder, 'dist', `${plant.module}.js`);
  writeFileSync(file, withBug(plant, readFileSync(file, 'utf8')));
  bundle(folder);
  return folder;
}

/** @throws when the place is not there exactly once */
export function withBug({ name, module, was, becomes }: Plant, text: string): string {
  const [before, after, ...more] = text.split(was);
  if (before === undefined || after === undefined || more.length > 0) {
    throw new Error(`"${name}" cannot be planted: ${module} does not have "${was}" exactly once.`);
  }
  return `${before}${becomes}${after}`;
}
