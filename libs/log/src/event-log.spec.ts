import { describeEventLog } from '#testing';
import { createMemoryLog } from './index.js';

const log = createMemoryLog();
describeEventLog('the log in memory', () => log);
