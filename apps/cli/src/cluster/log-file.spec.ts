import { closeSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { appendLine, lastLines, openLog } from './log-file.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-log-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('a log', () => {
  it('is put aside when it has grown too large, and only then', () => {
    const file = join(folder, 'a.log');
    writeFileSync(file, '12345');
    closeSync(openLog(file, 5));
    expect(readFileSync(file, 'utf8')).toBe('12345');
    closeSync(openLog(file, 4));
    expect(readFileSync(file, 'utf8')).toBe('');
    expect(readFileSync(`${file}.1`, 'utf8')).toBe('12345');
  });

  it('shows its last lines, however long it is', () => {
    const file = join(folder, 'a.log');
    writeFileSync(file, `${'x'.repeat(10_000)}\none\ntwo\n`);
    expect(lastLines(file, 2)).toEqual(['one', 'two']);
    expect(lastLines(join(folder, 'none'), 2)).toEqual([]);
  });

  it('loses a line rather than ending the supervisor when it cannot be written', () => {
    expect(() => appendLine(join(folder, 'no', 'such.log'), {})).not.toThrow();
  });
});
