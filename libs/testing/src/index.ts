export { type EmbeddedEventStore, startEventStore } from '../../../apps/event-store/src/start.js';
export { type Simulator, startSimulator } from '../../../apps/model-simulator/src/start.js';
export { BLOCKABLE, blockLoop } from './block-loop.js';
export { describeBus } from './bus-contract.js';
export { availableContainer, type StartedContainer } from './container.js';
export { freePort } from './free-port.js';
export { Gate } from './gate.js';
export * as facts from './histories.js';
export { given, historyOf, record, recorded } from './histories.js';
export { isThere } from './is-there.js';
export { aNewEvent, describeEventLog } from './log-contract.js';
export { startNats, type TestNats, type TestNatsOptions } from './nats.js';

export { runRequested } from './run-requested.js';
export { type Answer, diligent, type Look, SimulatedRun } from './simulated-run.js';
export { type SourceProgram, startSource } from './source-program.js';
export { until } from './until.js';
