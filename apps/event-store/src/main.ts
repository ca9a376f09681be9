import { createLogger, messageOf, readConfig, report } from '#platform';
import { eventStoreConfig } from './config.js';
import { startServer } from './server.js';

try {
  const config = readConfig(eventStoreConfig);
  const logger = createLogger('event-store', config.BATON_LOG_LEVEL);
  const server = await startServer({
    folder: config.BATON_DATA,
    host: config.BATON_HOST,
    port: config.BATON_PORT,
    sync: config.BATON_SYNC,
  });
  // Each request is recorded in one transaction or not at all: the fault of one call is no reason to end the others.
  process.on('uncaughtException', (error) => logger.error({ error: error.stack }, 'a call failed unexpectedly'));
  const stop = (signal: string) => {
    logger.info({ signal }, 'the event store stops');
    server.stop().then(
      () => process.exit(0),
      (error: unknown) => {
        logger.error({ error: messageOf(error) }, 'the event store did not stop cleanly');
        process.exit(1);
      },
    );
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  logger.info({ host: config.BATON_HOST, port: server.port, data: config.BATON_DATA }, 'the event store is ready');
  report({ type: 'ready', port: server.port });
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`);
  process.exitCode = 1;
}
