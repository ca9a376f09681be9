export { type Clock, systemClock } from './clock.js';
export { printable, readConfig } from './config.js';
export { BatonError, Misconfigured, messageOf, type Remedy, Unavailable, Unreadable } from './errors.js';
export { failing, type HealthCheck, serveHealth } from './health.js';
export { idOf, newId, sha256 } from './ids.js';
export { createLogger, type Logger, silentLogger } from './logger.js';
export { type Persistence, persist } from './persist.js';
export { requestDigest } from './request-digest.js';
export { type ReportedProcess, report, type ServiceReport } from './supervised.js';
