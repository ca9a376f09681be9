export { startNats, type TestNats, type TestNatsOptions } from './nats.js';
