/** Apart from rpc.ts so that the command line need not load the schemas (45 ms) to know it. */
export const RPC_LINE_BYTES_MAX: number = 1_048_576;
