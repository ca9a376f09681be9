import { isAlive, processName } from './processes.js';

describe('the name of a process', () => {
  it('tells a living process from another one of the same number', () => {
    const own = processName(process.pid);
    expect(own && isAlive(own)).toBe(true);
    expect(isAlive({ pid: process.pid, startTime: '1' })).toBe(false);
  });
});
