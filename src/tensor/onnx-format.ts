// Writes the few ONNX messages we need as protobuf. Field numbers after onnx/onnx.proto.
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import type { ElementType, Stored } from './graph.ts';

export type OnnxAttribute = number | string | readonly number[] | { float: number };
export interface OnnxNode {
  op: string;
  /** Empty for the standard operators, `com.microsoft` for the runtime's own. */
  domain: string;
  inputs: readonly string[];
  outputs: readonly string[];
  attributes: Readonly<Record<string, OnnxAttribute>>;
}
export interface OnnxValue {
  name: string;
  type: ElementType;
  shape: readonly (number | string)[];
}
export interface OnnxTensor {
  name: string;
  type: ElementType;
  shape: readonly number[];
  data: Float32Array | BigInt64Array | Uint8Array | Stored;
}
export interface OnnxGraph {
  nodes: OnnxNode[];
  initializers: OnnxTensor[];
  inputs: OnnxValue[];
  outputs: OnnxValue[];
}

const elementTypes: Record<ElementType, number> = { float32: 1, uint8: 2, int64: 7, bool: 9 };
const elementBytes: Record<ElementType, number> = { float32: 4, uint8: 1, int64: 8, bool: 1 };
const irVersion = 10;
/** TensorProto.DataLocation.EXTERNAL. */
const external = 1;
const opsets = { '': 21, 'com.microsoft': 1 };

/** The bytes of a ModelProto. */
export function writeModel(graph: OnnxGraph): Uint8Array<ArrayBuffer> {
  const model = new BinaryWriter();
  model.tag(1, WireType.Varint).int64(irVersion);
  model.tag(2, WireType.LengthDelimited).string('steer');
  message(model, 7, (w) => writeGraph(w, graph));
  for (const [domain, version] of Object.entries(opsets)) {
    message(model, 8, (w) => w.tag(1, WireType.LengthDelimited).string(domain).tag(2, WireType.Varint).int64(version));
  }
  return model.finish();
}

function writeGraph(w: BinaryWriter, graph: OnnxGraph): void {
  for (const node of graph.nodes) message(w, 1, (m) => writeNode(m, node));
  w.tag(2, WireType.LengthDelimited).string('graph');
  for (const tensor of graph.initializers) message(w, 5, (m) => writeTensor(m, tensor));
  for (const value of graph.inputs) message(w, 11, (m) => writeValue(m, value));
  for (const value of graph.outputs) message(w, 12, (m) => writeValue(m, value));
}

function writeNode(w: BinaryWriter, node: OnnxNode): void {
  for (const name of node.inputs) w.tag(1, WireType.LengthDelimited).string(name);
  for (const name of node.outputs) w.tag(2, WireType.LengthDelimited).string(name);
  w.tag(4, WireType.LengthDelimited).string(node.op);
  for (const [name, value] of Object.entries(node.attributes)) message(w, 5, (m) => writeAttribute(m, name, value));
  if (node.domain !== '') w.tag(7, WireType.LengthDelimited).string(node.domain);
}

function writeAttribute(w: BinaryWriter, name: string, value: OnnxAttribute): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  if (typeof value === 'number') w.tag(3, WireType.Varint).int64(value).tag(20, WireType.Varint).int32(2);
  else if (typeof value === 'string') w.tag(4, WireType.LengthDelimited).string(value).tag(20, WireType.Varint).int32(3);
  else if ('float' in value) w.tag(2, WireType.Bit32).float(value.float).tag(20, WireType.Varint).int32(1);
  else {
    for (const item of value) w.tag(8, WireType.Varint).int64(item);
    w.tag(20, WireType.Varint).int32(7);
  }
}

function writeTensor(w: BinaryWriter, { name, type, shape, data }: OnnxTensor): void {
  for (const size of shape) w.tag(1, WireType.Varint).int64(size);
  w.tag(2, WireType.Varint).int32(elementTypes[type]);
  w.tag(8, WireType.LengthDelimited).string(name);
  if ('file' in data)
    writePlace(
      w,
      data,
      shape.reduce((product, size) => product * size, elementBytes[type]),
    );
  else w.tag(9, WireType.LengthDelimited).bytes(new Uint8Array(data.buffer, data.byteOffset, data.byteLength));
}

function writePlace(w: BinaryWriter, { file, offset }: Stored, length: number): void {
  for (const [key, value] of Object.entries({ location: file, offset: `${offset}`, length: `${length}` })) {
    message(w, 13, (entry) => entry.tag(1, WireType.LengthDelimited).string(key).tag(2, WireType.LengthDelimited).string(value));
  }
  w.tag(14, WireType.Varint).int32(external);
}

function writeValue(w: BinaryWriter, { name, type, shape }: OnnxValue): void {
  w.tag(1, WireType.LengthDelimited).string(name);
  message(w, 2, (typeProto) =>
    message(typeProto, 1, (tensor) => {
      tensor.tag(1, WireType.Varint).int32(elementTypes[type]);
      message(tensor, 2, (shapeProto) => {
        for (const size of shape) message(shapeProto, 1, (dim) => writeDim(dim, size));
      });
    }),
  );
}

function writeDim(w: BinaryWriter, size: number | string): void {
  if (typeof size === 'number') w.tag(1, WireType.Varint).int64(size);
  else w.tag(2, WireType.LengthDelimited).string(size);
}

function message(w: BinaryWriter, field: number, write: (inner: BinaryWriter) => void): void {
  w.tag(field, WireType.LengthDelimited).fork();
  write(w);
  w.join();
}
