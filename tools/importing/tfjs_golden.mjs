// Runs the original NanoDet-g graph with TensorFlow.js, apart from our converter, on one input.
//
//   npm install @tensorflow/tfjs
//   node tfjs_golden.mjs MODELS_FOLDER INPUT.f32 OUTPUT.json
//
// INPUT.f32: little-endian float32 [1, 3, 416, 416], normalised. OUTPUT.json: {output name: flat values}.
// `python -m tools.import_nanodet --goldens FOLDER` calls it.

import fs from 'node:fs';
import path from 'node:path';
import { createRequire } from 'node:module';

const tf = createRequire(path.join(process.cwd(), 'package.json'))('@tensorflow/tfjs');
const [folder, inputPath, outputPath] = process.argv.slice(2);

const fromFiles = {
  load: async () => {
    const model = JSON.parse(fs.readFileSync(path.join(folder, 'nanodet.json'), 'utf8'));
    const [group] = model.weightsManifest;
    const data = fs.readFileSync(path.join(folder, group.paths[0]));
    return {
      modelTopology: model.modelTopology,
      signature: model.signature,
      weightSpecs: group.weights,
      weightData: data.buffer.slice(data.byteOffset, data.byteOffset + data.byteLength),
    };
  },
};

const bytes = fs.readFileSync(inputPath);
const values = new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength));
const model = await tf.loadGraphModel(fromFiles);
const names = model.outputs.map((output) => output.name.replace(/:0$/, ''));
const outputs = await model.executeAsync({ input_1: tf.tensor(values, [1, 3, 416, 416]) }, names);
const result = {};
names.forEach((name, i) => { result[name] = Array.from(outputs[i].dataSync()); });
fs.writeFileSync(outputPath, JSON.stringify(result));
