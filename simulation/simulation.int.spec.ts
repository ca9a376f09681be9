import { startSource } from '#testing';

interface SelfTest {
  readonly planted: Readonly<Record<string, { readonly healthy: boolean; readonly caught: boolean }>>;
  readonly failures: readonly string[];
  readonly difference: string | null;
}

let found: SelfTest;

beforeAll(async () => {
  const program = startSource(new URL('./self-test.ts', import.meta.url));
  await program.ended;
  found = JSON.parse(program.lines.at(-1) ?? '{}');
});

describe('the simulation', () => {
  it('finds that every law is kept, whatever dies along a run', () => {
    expect(found.failures).toEqual([]);
  });

  it.each([
    'acknowledge-before-append',
    'forget-the-fence',
    'retry-a-once-tool',
    'mistrust-the-probe',
    'lose-an-answer',
    'mix-up-the-workspaces',
    'count-a-healthy-restart',
    'drop-a-wake-up',
  ])('finds the planted bug %s by the fault that reveals it, and nothing without the bug', (name) => {
    expect(found.planted[name]).toEqual({ healthy: true, caught: true });
  });

  it('tells the same seed the same way, step by step', () => {
    expect(found.difference).toBeNull();
  });
});
