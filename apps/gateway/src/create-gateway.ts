import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestExpressApplication } from '@nestjs/platform-express';
import { GatewayModule } from './gateway.module.js';
import { LiveServer } from './live/live-server.js';
import { Viewers } from './live/viewers.js';
import type { Surroundings } from './surroundings.js';

export interface Gateway {
  readonly port: number;
  /** Tells the viewers, lets requests at work finish, for at most `graceMs`. Leaves the log and the bus open. */
  close(graceMs?: number): Promise<void>;
}

const GRACE_MS = 5_000;

/** Starts a gateway. Port 0 lets the system choose. */
export async function createGateway(surroundings: Surroundings, port = 0, host = '127.0.0.1'): Promise<Gateway> {
  const app = await NestFactory.create<NestExpressApplication>(GatewayModule.in(surroundings), {
    bodyParser: false,
    logger: false,
  });
  app.disable('x-powered-by');
  const server: Server = app.getHttpServer();
  app.get(LiveServer).attach(server);
  await app.listen(port, host);
  return {
    port: (server.address() as AddressInfo).port,
    close: async (graceMs = GRACE_MS) => {
      app.get(Viewers).sayGoodbye();
      const cut = setTimeout(() => server.closeAllConnections(), graceMs);
      await app.close();
      clearTimeout(cut);
    },
  };
}
