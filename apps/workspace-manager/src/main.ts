import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, printable, report, watchLoop } from '#platform';
import { workspaceManagerConfig } from './config.js';
import { WorkspaceManagerModule } from './workspace-manager.module.js';
import { WorkspaceManagerService } from './workspace-manager.service.js';

/** A bus or a log that does not answer must not keep the process; the commands go on without it. */
const STOP_WITHIN_MS = 8_000;

const startUp = createLogger('workspace-manager');
try {
  const config = workspaceManagerConfig();
  const logger = createLogger('workspace-manager', config.BATON_LOG_LEVEL);
  logger.info(printable(config), 'starting');
  const bus = await Bus.connect({ url: config.BATON_BUS_URL, name: 'workspace-manager', logger });
  const log = connectLog(config.BATON_LOG_URL);
  const module = WorkspaceManagerModule.in({ config, logger, bus, log });
  const app = await NestFactory.createApplicationContext(module, { logger: false });
  app.enableShutdownHooks();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => setTimeout(() => process.exit(1), STOP_WITHIN_MS).unref());
  }
  const { healthPort } = app.get(WorkspaceManagerService);
  report({ type: 'ready', ...(healthPort === undefined ? {} : { port: healthPort }) });
  watchLoop('workspace-manager', config.BATON_HUNG_MS, logger);
} catch (error) {
  startUp.error({}, `the workspace-manager cannot start: ${messageOf(error)}`);
  process.exit(1);
}
