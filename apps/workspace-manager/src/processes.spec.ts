import { isAlive, parseStat, processName } from './processes.js';

describe('the name of a process', () => {
  it('is read from a line of /proc whatever the program is called', () => {
    const line = `42 (a) b (c) S 7 ${Array.from({ length: 17 }, (_, place) => place).join(' ')} 223481 2654208\n`;
    expect(parseStat(line)).toEqual({
      pid: 42,
      command: 'a) b (c',
      state: 'S',
      parent: 7,
      session: 1,
      startTime: '223481',
    });
  });

  it('is none where a claim was cut off', () => {
    expect(parseStat('')).toBeUndefined();
    expect(parseStat('42 (sh) S 7 1')).toBeUndefined();
  });

  it('tells a living process from another one of the same number', () => {
    const own = processName(process.pid);
    expect(own && isAlive(own)).toBe(true);
    expect(isAlive({ pid: process.pid, startTime: '1' })).toBe(false);
  });
});
