import { Server, ServerCredentials } from '@grpc/grpc-js';
import { type Duplex, ECHO } from './echo.js';

/** A gRPC server that sends back what it gets, on one lasting call, as appends travel; it tells its port. */
const server = new Server();
server.addService(
  { Echo: ECHO },
  { Echo: (call: Duplex) => call.on('data', (message: Buffer) => call.write(message)).on('end', () => call.end()) },
);
server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (_, port) => process.send?.({ port }));
process.once('disconnect', () => process.exit());
