// Runs an original graph with TensorFlow.js, apart from our converter, on one input.
//
//   npm install @tensorflow/tfjs
//   node tfjs_golden.mjs MODEL.json INPUT.f32 OUTPUT.json
//
// INPUT.f32: little-endian float32, as the graph takes them. OUTPUT.json: {output name: flat values}.
// The import scripts' --goldens calls it.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const tf = createRequire(path.join(process.cwd(), 'package.json'))('@tensorflow/tfjs');
const [modelPath, inputPath, outputPath] = process.argv.slice(2);

const fromFiles = {
  load: async () => {
    const model = JSON.parse(fs.readFileSync(modelPath, 'utf8'));
    const [group] = model.weightsManifest;
    const data = fs.readFileSync(path.join(path.dirname(modelPath), group.paths[0]));
    return {
      modelTopology: model.modelTopology,
      signature: model.signature ?? model.userDefinedMetadata?.signature,
      weightSpecs: group.weights,
      weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
    };
  },
};

const bytes = fs.readFileSync(inputPath);
const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const model = await tf.loadGraphModel(fromFiles);
const names = model.outputs.map((output) => output.name.replace(/:0$/, ''));
const [input] = model.inputs;
const tensor = tf.tensor(values, input.shape, 'float32').cast(input.dtype);
const outputs = [await model.executeAsync({ [input.name.replace(/:0$/, '')]: tensor }, names)].flat();
const result = {};
names.forEach((name, i) => { result[name] = Array.from(outputs[i].dataSync()); });
fs.writeFileSync(outputPath, JSON.stringify(result));
