import { type Certificate, readCertificate } from './access/certificate.js';
import { readUsers } from './access/users-file.js';
import { startServer } from './server.js';

export interface EmbeddedOptions {
  /** The data folder; absent: everything is kept in memory. */
  readonly data?: string;
  /** Absent or 0: the system chooses. */
  readonly port?: number;
  readonly sync?: 'full' | 'normal';
  /** PEM files; with them the connection string says `tls=true`, and the client needs `tlsCaFile`. */
  readonly tls?: { readonly certFile: string; readonly keyFile: string };
  readonly usersFile?: string;
  readonly usersWithoutTls?: boolean;
  readonly advertise?: { readonly host?: string; readonly port?: number };
  readonly maxAppend?: number;
  readonly patienceMs?: number;
}

export interface EmbeddedEventStore {
  readonly connectionString: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** An event store inside this process, on the loopback interface. */
export async function startEventStore(options: EmbeddedOptions = {}): Promise<EmbeddedEventStore> {
  const { data, port = 0, sync = 'full', tls, usersFile, usersWithoutTls, advertise, maxAppend, patienceMs } = options;
  const certificate: Certificate | undefined = tls && readCertificate(tls.certFile, tls.keyFile);
  const server = await startServer({
    host: '127.0.0.1',
    port,
    sync,
    folder: data,
    tls: certificate,
    users: usersFile === undefined ? undefined : readUsers(usersFile),
    usersWithoutTls,
    advertise,
    maxAppend,
    patienceMs,
  });
  return {
    connectionString: `esdb://127.0.0.1:${server.port}?tls=${certificate !== undefined}`,
    port: server.port,
    stop: server.stop,
  };
}
