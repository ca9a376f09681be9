import { type Need, RunId } from '#contracts';
import { newId } from '#platform';
import { entriesOf, entryHead, needsLine } from './words.js';

const at = (second: number): string => new Date(Date.UTC(2026, 10, 20) + second * 1_000).toISOString();
const need = (kind: Need['kind'], second: number, gist?: string): Need => {
  const run = RunId.parse(newId());
  const more = gist === undefined ? {} : { gist };
  return { kind, run, since: at(second), sentence: `Of ${run}.`, commands: [`npx baton replay ${run}`], ...more };
};
const FULL = 'Items failed, above all because: no room on the disk';

describe('what needs a person', () => {
  it('is one entry where three or more are alike, at the place of the first', () => {
    const needs = [need('doubt', 1), need('items', 9, FULL), need('items', 5, 'other'), need('items', 3, FULL)];
    const [doubt, first, other, second] = needs;
    const third = need('items', 7, FULL);
    const entries = entriesOf([...needs, third]);
    expect(entries.map(({ sentence }) => sentence)).toEqual([doubt?.sentence, FULL, other?.sentence]);
    expect(entries[1]).toMatchObject({
      kind: 'items',
      runs: [first?.run, second?.run, third.run],
      since: at(3),
      to: at(9),
      commands: ['npx baton replay RUN'],
    });
  });

  it('is told one by one below that, of other kinds, and where each needs a look of its own', () => {
    const needs = [
      need('items', 1, FULL),
      need('items', 2, FULL),
      need('failed', 3, FULL),
      ...[4, 5, 6].map((second) => need('approval', second)),
    ];
    const entries = entriesOf(needs);
    expect(entries.map(({ runs }) => runs)).toEqual(needs.map(({ run }) => [run]));
    expect(entries.map(({ commands }) => commands)).toEqual(needs.map(({ commands }) => commands));
  });

  it('is counted by things and by sorts', () => {
    const needs = [need('doubt', 1), need('items', 2, FULL), need('items', 3, FULL), need('items', 4, FULL)];
    expect(needsLine({ headline: { needs: 4 }, needs })).toBe('4 things need you, of 2 sorts.');
    expect(needsLine({ headline: { needs: 3 }, needs: needs.slice(0, 3) })).toBe('3 things need you.');
    expect(needsLine({ headline: { needs: 0 }, needs: [] })).toBe('Nobody is needed.');
  });

  it('says which runs and since when, so that a command can be typed', () => {
    const needs = Array.from({ length: 10 }, (_, place) => need('items', place, FULL));
    const [entry] = entriesOf(needs);
    const [runs = '', when] = entry ? entryHead(entry) : [];
    expect(runs).toMatch(/^10 runs: ([0-9a-f]{8}, ){7}[0-9a-f]{8} and 2 more$/);
    expect(when).toBe('between Fri 2026-11-20 00:00:00 and Fri 2026-11-20 00:00:09');
    const [alone] = entriesOf([need('approval', 5)]);
    expect(alone && entryHead({ ...alone, until: at(9) })[1]).toBe(
      'since Fri 2026-11-20 00:00:05, until Fri 2026-11-20 00:00:09',
    );
  });
});
