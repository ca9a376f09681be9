import { Misconfigured } from '#platform';
import { type Certificate, readCertificate } from './access/certificate.js';
import { readUsers } from './access/users-file.js';
import type { EventStoreConfig } from './config.js';
import type { ServerOptions } from './server.js';

/** @throws Misconfigured for settings that do not go together, and for files that cannot be read */
export function serverOptions(config: EventStoreConfig): ServerOptions {
  const { BATON_USERS: users } = config;
  return {
    folder: config.BATON_MEMORY === 'true' ? undefined : config.BATON_DATA,
    sync: config.BATON_SYNC,
    host: config.BATON_HOST,
    port: config.BATON_PORT,
    tls: certificateOf(config),
    users: users === undefined ? undefined : readUsers(users),
    usersWithoutTls: config.BATON_USERS_WITHOUT_TLS === 'true',
    advertise: {
      ...(config.BATON_ADVERTISE_HOST === undefined ? {} : { host: config.BATON_ADVERTISE_HOST }),
      ...(config.BATON_ADVERTISE_PORT === undefined ? {} : { port: config.BATON_ADVERTISE_PORT }),
    },
    maxAppend: config.BATON_MAX_APPEND,
    scavengeHours: config.BATON_SCAVENGE_HOURS,
  };
}

function certificateOf({ BATON_TLS_CERT: cert, BATON_TLS_KEY: key }: EventStoreConfig): Certificate | undefined {
  if (cert !== undefined && key !== undefined) return readCertificate(cert, key);
  if (cert === undefined && key === undefined) return undefined;
  throw new Misconfigured(
    cert === undefined
      ? 'BATON_TLS_KEY is set, but BATON_TLS_CERT is not: TLS needs both.'
      : 'BATON_TLS_CERT is set, but BATON_TLS_KEY is not: TLS needs both.',
  );
}
