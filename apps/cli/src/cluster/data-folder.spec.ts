import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DataFolder } from './data-folder.js';
import { replaceFile, writing } from './disk.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-data-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const failing = (code: string) => () => {
  throw Object.assign(new Error(code), { code });
};

describe('a data folder', () => {
  it('is made with its version, and is taken again', () => {
    const data = new DataFolder(join(folder, 'a', 'b'));
    data.prepare();
    data.prepare();
    expect(readFileSync(data.versionFile(), 'utf8')).toBe('1\n');
  });

  it('keeps its key, and replaces one that a power cut left empty', () => {
    const data = new DataFolder(folder);
    data.prepare();
    const key = data.apiKey();
    expect(data.apiKey()).toBe(key);
    writeFileSync(data.keyFile(), '');
    expect(data.apiKey()).toMatch(/^bk_/);
  });

  it('is refused when it holds something else', () => {
    mkdirSync(join(folder, 'photos'));
    expect(() => new DataFolder(folder).prepare()).toThrow(
      `${folder} is no data folder of Baton (it holds photos and no version file): name an empty or new folder with --data DIR.`,
    );
  });

  it('is refused when too little is free', () => {
    expect(() => new DataFolder(folder).prepare(Number.MAX_SAFE_INTEGER)).toThrow(
      /^The disk that holds .* is nearly full/,
    );
  });

  it('is refused where no folder can be made', () => {
    const nowhere = existsSync('/proc/self') ? '/proc/nope/data' : '/dev/null/nope/data';
    expect(() => new DataFolder(nowhere).prepare()).toThrow(/cannot be made.*use another folder/);
  });

  it('is refused when it lies below a file', () => {
    writeFileSync(join(folder, 'file'), '');
    expect(() => new DataFolder(join(folder, 'file', 'data')).prepare()).toThrow(/a part of its path is a file/);
  });

  it.each([
    ['ENOSPC', 'The disk that holds /d is full: free some space, or use another folder with --data DIR.'],
    ['EROFS', '/d lies on a read-only file system: use another folder with --data DIR.'],
    ['EACCES', '/d may not be written by this user: change its owner or mode, or use another folder with --data DIR.'],
  ])('says what %s means and the way out', (code, sentence) => {
    expect(() => writing('/d', failing(code))).toThrow(sentence);
  });

  it('keeps the old text of a file when the new one cannot be written', () => {
    const file = join(folder, 'file');
    replaceFile(file, 'old');
    mkdirSync(`${file}.${process.pid}.new`);
    expect(() => replaceFile(file, 'new')).toThrow('EISDIR');
    expect(readFileSync(file, 'utf8')).toBe('old');
    expect(readdirSync(folder)).toEqual(['file']);
  });
});
