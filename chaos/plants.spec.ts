import { readFileSync } from 'node:fs';
import { PLANTS, withBug } from './plants.js';
import { TORTURE_TRIALS } from './torture-trials.js';

const ALL = [...PLANTS, ...TORTURE_TRIALS.map(({ plant }) => plant)];

describe('a planted bug', () => {
  it.each(ALL.map((plant) => [plant.name, plant] as const))('fits the sources: %s', (_, plant) => {
    const source = readFileSync(`${plant.module}.ts`, 'utf8');
    expect(withBug(plant, source)).not.toBe(source);
  });

  it('that has no place any more is refused', () => {
    const [plant] = PLANTS;
    expect(() => plant && withBug(plant, '')).toThrow('exactly once');
  });
});
