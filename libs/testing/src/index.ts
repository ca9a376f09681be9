export { type Simulator, startSimulator } from '../../../apps/model-simulator/src/start.js';
export { Gate } from './gate.js';
export { startNats, type TestNats, type TestNatsOptions } from './nats.js';
export { runRequested } from './run-requested.js';
export { type SourceProgram, startSource } from './source-program.js';
export { until } from './until.js';
