import { startServer } from './server.js';

export interface EmbeddedOptions {
  /** The data folder; absent: everything is kept in memory. */
  readonly data?: string;
  /** Absent or 0: the system chooses. */
  readonly port?: number;
  readonly sync?: 'full' | 'normal';
}

export interface EmbeddedEventStore {
  readonly connectionString: string;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** An event store inside this process, on the loopback interface. */
export async function startEventStore({
  data,
  port = 0,
  sync = 'full',
}: EmbeddedOptions = {}): Promise<EmbeddedEventStore> {
  const server = await startServer({ host: '127.0.0.1', port, sync, folder: data });
  return {
    connectionString: `esdb://127.0.0.1:${server.port}?tls=false`,
    port: server.port,
    stop: server.stop,
  };
}
