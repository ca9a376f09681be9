import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type Logger, silentLogger } from '#platform';
import { createSimulatorServer } from './server.js';

export interface SimulatorOptions {
  /** 0 lets the system choose. */
  readonly port?: number;
  readonly host?: string;
  readonly logger?: Logger;
}

export interface Simulator {
  /** The base address for clients, without `/v1`. */
  readonly url: string;
  readonly port: number;
  /** Ends the answers that are under way, too. */
  stop(): Promise<void>;
}

/** Starts a model simulator in this process. */
export async function startSimulator({
  port = 0,
  host = '127.0.0.1',
  logger = silentLogger,
}: SimulatorOptions = {}): Promise<Simulator> {
  const server = createSimulatorServer(logger);
  server.listen(port, host);
  await once(server, 'listening');
  const { port: bound } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    port: bound,
    stop: async () => {
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      await closed;
    },
  };
}
