import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { runEventSchemas } from './index.js';

/*
 * Every version of every event that was ever written must be read for ever: a fixture is never changed or removed, and
 * a new version brings a new file, `<type>.v<version>.json`.
 */
const folder = new URL('../fixtures/', import.meta.url);
const files = readdirSync(folder);
const typeOf = (file: string): string => file.split('.')[0] ?? '';

describe('the events of a run', () => {
  it.each(files)('are read as they were written, with defaults for what came later: %s', (file) => {
    const written: unknown = JSON.parse(readFileSync(new URL(file, folder), 'utf8'));
    const { type } = z.object({ type: z.string() }).parse(written);
    expect(type).toBe(typeOf(file));
    expect(runEventSchemas.get(type)?.parse(written)).toMatchObject(Object(written));
  });

  it('have a fixture each', () => {
    expect([...runEventSchemas.keys()].toSorted()).toEqual([...new Set(files.map(typeOf))].toSorted());
  });
});
