import 'reflect-metadata';
import { setTimeout as pause } from 'node:timers/promises';
import { answerPresence, Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, newId, printable, report, systemClock, watchLoop } from '#platform';
import { apiKeyOf, gatewayConfig } from './config.js';
import { createGateway } from './create-gateway.js';

const LET_GO_MS = 2_000;

try {
  const config = gatewayConfig();
  const apiKey = apiKeyOf(config);
  const logger = createLogger('gateway', config.BATON_LOG_LEVEL);
  logger.info(printable(config), 'the gateway starts');
  const log = connectLog(config.BATON_LOG_URL);
  const leaving = new AbortController();
  const bus = Bus.connect({ url: config.BATON_BUS_URL, name: 'gateway', logger, signal: leaving.signal });
  const limits = { caps: config.BATON_MAX_CAPS, openRuns: config.BATON_MAX_OPEN_RUNS };
  const keyFile = config.BATON_API_KEY === undefined ? config.BATON_API_KEY_FILE : undefined;
  const gateway = await createGateway(
    { log, bus, parking: bus, apiKey, keyFile, logger, limits },
    config.BATON_PORT,
    config.BATON_HOST,
  );
  const presence = { service: 'gateway', id: `gateway-${newId()}`, clock: systemClock } as const;
  bus.then((connected) => answerPresence(connected, presence)).catch(() => undefined);
  logger.info({ port: gateway.port }, 'the gateway is ready');

  const stop = async (signal: string): Promise<void> => {
    logger.info({ signal }, 'the gateway stops');
    leaving.abort();
    await gateway.close();
    const letGo = Promise.allSettled([bus.then((connected) => connected.close()), log.close()]);
    // A log or a bus that is away must not keep the process.
    await Promise.race([letGo, pause(LET_GO_MS)]);
    process.exit(0);
  };
  const stopOnce = (signal: string): void => {
    process.off('SIGTERM', stopOnce).off('SIGINT', stopOnce);
    stop(signal).catch((error: unknown) => {
      logger.error({ error: messageOf(error) }, 'the gateway did not stop cleanly');
      process.exit(1);
    });
  };
  process.on('SIGTERM', stopOnce).on('SIGINT', stopOnce);
  report({ type: 'ready', port: gateway.port });
  watchLoop('gateway', config.BATON_HUNG_MS, logger);
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exit(1);
}
