/** Loads the server beforehand, which is most of what a start takes; the first word of the parent starts it. */
import '../src/server.js';

process.once('message', () => void import('../src/main.js'));
