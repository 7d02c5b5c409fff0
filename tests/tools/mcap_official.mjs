// SPDX-License-Identifier: Apache-2.0
// mcap_official.mjs FILE: reads a file with the official reader, once by its index and once from its first byte to the last, CRCs
// checked both times; both must find the same. Prints the messages as mcap_sample does.
// MCAP_OF=record: the file is one of `peal record`.
import { open, readFile } from "node:fs/promises";
import { crc32 } from "@foxglove/crc";
import { McapIndexedReader, McapStreamReader } from "@mcap/core";
import lz4 from "@foxglove/wasm-lz4";
import * as zstd from "@foxglove/wasm-zstd";

await lz4.isLoaded;
await (zstd.isLoaded ?? zstd.default.isLoaded);
const unzstd = zstd.decompress ?? zstd.default.decompress;
const decompressHandlers = {
  lz4: (bytes, size) => lz4(bytes, Number(size)),
  zstd: (bytes, size) => unzstd(bytes, Number(size)),
};

function fail(why) {
  console.error(`mcap_official: ${why}`);
  process.exit(1);
}

function line(message, channel, schema) {
  return [channel.topic, schema?.name ?? "", message.sequence, message.logTime, message.publishTime, message.data.byteLength,
    crc32(message.data)].join("|");
}

const path = process.argv[2];
const recorded = process.env.MCAP_OF === "record";
const file = await open(path);
const readable = {
  size: async () => BigInt((await file.stat()).size),
  read: async (offset, size) => {
    const bytes = new Uint8Array(Number(size));
    const { bytesRead } = await file.read(bytes, 0, bytes.length, Number(offset));
    if (bytesRead !== bytes.length) fail("short read");
    return bytes;
  },
};

const reader = await McapIndexedReader.Initialize({ readable, decompressHandlers });
if (!reader.header.library.startsWith("peal ") || reader.header.profile !== "") fail("wrong header");
const indexed = [];
for await (const message of reader.readMessages({ validateCrcs: true })) {
  const channel = reader.channelsById.get(message.channelId);
  const wrong = recorded
    ? !/^0x[0-9a-f]{16}$/.test(channel.metadata.get("peal:incarnation")) || channel.metadata.get("peal:publisher") !== "alpha"
    : channel.metadata.get("peal:schema_hash") !== "0x00000000deadbeef";
  if (wrong) fail("wrong metadata of a channel");
  indexed.push(line(message, channel, reader.schemasById.get(channel.schemaId)));
}
const metadata = [];
for await (const record of reader.readMetadata()) metadata.push(record);
const names = metadata.map((record) => record.name).join(" ");
if (names !== (recorded ? "peal:bus peal:clock" : "peal:bus") || !metadata[0].metadata.get("url").startsWith(recorded ? "posix:tool-" : "posix:/sample"))
  fail("wrong metadata");
if (reader.statistics.messageCount !== BigInt(indexed.length) || reader.statistics.chunkCount !== reader.chunkIndexes.length ||
    reader.statistics.channelCount !== reader.channelsById.size || reader.statistics.schemaCount !== reader.schemasById.size)
  fail("wrong statistics");

const stream = new McapStreamReader({ decompressHandlers, validateCrcs: true });
const channels = new Map();
const schemas = new Map();
const streamed = [];
stream.append(await readFile(path));
for (let record; (record = stream.nextRecord()); ) {
  if (record.type === "Schema") schemas.set(record.id, record);
  else if (record.type === "Channel") channels.set(record.id, record);
  else if (record.type === "Message") {
    const channel = channels.get(record.channelId) ?? fail("a message before its channel");
    streamed.push(line(record, channel, schemas.get(channel.schemaId)));
  }
}
if (!stream.done()) fail("the file ends too early");
if (streamed.sort().join("\n") !== [...indexed].sort().join("\n")) fail("the index and the file differ");
process.stdout.write(indexed.join("\n") + "\n");
