import { InTurn } from './in-turn.js';

describe('questions that cost much', () => {
  it('are answered one after the other, in their order, also behind one that failed', async () => {
    const turns = new InTurn();
    const done: string[] = [];
    let atOnce = 0;
    const ask = (name: string, fails = false) =>
      turns.take(async () => {
        atOnce += 1;
        expect(atOnce).toBe(1);
        await new Promise(setImmediate);
        atOnce -= 1;
        done.push(name);
        if (fails) throw new Error(name);
        return name;
      });
    const answers = await Promise.allSettled([ask('a'), ask('b', true), ask('c')]);
    expect(answers.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(done).toEqual(['a', 'b', 'c']);
  });

  it('are refused beyond those that may wait, and taken again when there is room', async () => {
    const turns = new InTurn();
    let open: () => void = () => undefined;
    const gate = new Promise<void>((resolve) => (open = resolve));
    const asked = Array.from({ length: 9 }, () => turns.take(() => gate));
    await expect(turns.take(() => gate)).rejects.toMatchObject({ status: 429, code: 'too-many-questions' });
    open();
    await Promise.all(asked);
    await expect(turns.take(() => Promise.resolve('now'))).resolves.toBe('now');
  });
});
