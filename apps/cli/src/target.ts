import { existsSync } from 'node:fs';
import { readRecord } from './cluster/cluster-record.js';
import { DataFolder } from './cluster/data-folder.js';
import type { Environment } from './config.js';
import { Obstacle } from './errors.js';

/** Where a cluster's API answers, and with which key. */
export interface Target {
  readonly url: string;
  readonly key: string;
}

/** The data folder that a command means: `--data`, else BATON_DATA, else `.baton` here. */
export const dataFolder = (given: string | undefined, environment: Environment): DataFolder =>
  new DataFolder(given ?? environment.BATON_DATA);

/**
 * The cluster that a command talks to: the local one of `--data`, else the remote one of BATON_URL and BATON_KEY, else
 * the local one of BATON_DATA.
 * @throws Obstacle when there is none.
 */
export function findTarget(given: string | undefined, environment: Environment): Target {
  const { BATON_URL: url, BATON_KEY: key } = environment;
  if (given === undefined && url !== undefined) {
    if (key === undefined)
      throw new Obstacle(`BATON_URL is ${url}, but BATON_KEY is not set: set it to a key of that cluster.`);
    return { url: url.replace(/\/+$/, ''), key };
  }
  const data = dataFolder(given, environment);
  const record = readRecord(data);
  if (record === undefined || !existsSync(data.keyFile())) {
    throw new Obstacle(
      `No cluster runs on ${data.path}: start one with \`npx baton up\`, name another folder with --data DIR, or set BATON_URL and BATON_KEY.`,
    );
  }
  return { url: record.url, key: data.apiKey() };
}
