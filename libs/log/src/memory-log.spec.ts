import { createMemoryLog, LogRefused } from './index.js';

describe('the log in memory', () => {
  const MOST = 1_048_576;
  const event = (text: string) => [{ id: 'a', type: 'Said', data: { text }, metadata: {} }];
  const frame = JSON.stringify(event('')).length;

  it.each(['a', '"', '\u0001'])('takes exactly as much of %j as the real one, and nothing more', async (character) => {
    const log = createMemoryLog();
    const most = Math.floor((MOST - frame) / (JSON.stringify(character).length - 2));
    await expect(log.append('s', event(character.repeat(most + 1)), 'absent')).rejects.toThrow(LogRefused);
    await expect(log.append('s', event(character.repeat(most)), 'absent')).resolves.toMatchObject({ revision: 0 });
  });
});
