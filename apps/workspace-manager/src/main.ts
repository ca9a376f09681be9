import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { Bus } from '#bus';
import { connectLog } from '#log';
import { createLogger, messageOf, printable } from '#platform';
import { workspaceManagerConfig } from './config.js';
import { WorkspaceManagerModule } from './workspace-manager.module.js';

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
} catch (error) {
  startUp.error({}, `the workspace-manager cannot start: ${messageOf(error)}`);
  process.exit(1);
}
