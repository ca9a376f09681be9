import { isRunning, parseStat, processStat } from './process-stat.js';

describe('what the system tells of a process', () => {
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

  it('is told of a living one, and nothing of one that is not there', () => {
    const own = processStat(process.pid);
    expect(own && [own.pid, own.parent, isRunning(own)]).toEqual([process.pid, process.ppid, true]);
    expect(processStat(2 ** 30)).toBeUndefined();
  });
});
