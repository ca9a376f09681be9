import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ourselves, writeRecord } from './cluster/cluster-record.js';
import { DataFolder } from './cluster/data-folder.js';
import { findTarget, type Target } from './target.js';

let folder: string;
let local: Target;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'baton-target-'));
  const data = new DataFolder(folder);
  data.prepare();
  local = { url: 'http://127.0.0.1:4711', key: data.apiKey() };
  const control = { port: 1, token: 'token' };
  writeRecord(data, { supervisor: ourselves(), startedAt: '', url: local.url, control, services: [] });
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const remote = { BATON_URL: 'https://baton.example.org/', BATON_KEY: 'bk_remote' };
const environment = (more: object = {}) => ({ BATON_DATA: join(folder, 'none'), BATON_PORT: 4700, ...more });

describe('finding the cluster', () => {
  it('takes the folder that --data names, before everything else', () => {
    expect(findTarget(folder, environment(remote))).toEqual(local);
  });

  it('takes BATON_URL with BATON_KEY before BATON_DATA', () => {
    expect(findTarget(undefined, environment({ ...remote, BATON_DATA: folder }))).toEqual({
      url: 'https://baton.example.org',
      key: 'bk_remote',
    });
  });

  it('takes BATON_DATA otherwise', () => {
    expect(findTarget(undefined, environment({ BATON_DATA: folder }))).toEqual(local);
  });

  it('says what is missing and the way out', () => {
    expect(() => findTarget(undefined, environment())).toThrow(/^No cluster runs on .*: start one with `npx baton up`/);
    expect(() => findTarget(undefined, environment({ BATON_URL: remote.BATON_URL }))).toThrow(/BATON_KEY is not set/);
  });
});
