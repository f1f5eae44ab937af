//! Background work that outlives its client and its server: records, a queue, and output on disk.
