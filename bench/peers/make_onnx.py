"""Writes a Llama or Qwen2 folder of Hugging Face as transformers.js reads it: make_onnx.py <folder> <out>

The graph is the one onnxruntime-genai's builder makes, in fp32, with its weights in the file.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import onnx


def main():
    folder, out = Path(sys.argv[1]), Path(sys.argv[2])
    (out / "onnx").mkdir(parents=True)
    with tempfile.TemporaryDirectory() as built:
        command = [sys.executable, "-m", "onnxruntime_genai.models.builder", "-i", str(folder), "-o", built]
        subprocess.run(command + ["-p", "fp32", "-e", "cpu", "-c", f"{built}/cache"], check=True, capture_output=True)
        model = onnx.load(f"{built}/model.onnx")
    # The builder leaves the size of a head open; transformers.js takes it from here.
    config = json.loads((folder / "config.json").read_text())
    for value in [*model.graph.input, *model.graph.output]:
        if "key" in value.name or "value" in value.name:
            value.type.tensor_type.shape.dim[3].dim_value = config["head_dim"]
    onnx.save(model, out / "onnx" / "model.onnx", save_as_external_data=False)
    shutil.copy(folder / "tokenizer.json", out)
    # No token ends a reply.
    (out / "config.json").write_text(json.dumps({**config, "eos_token_id": None}))


if __name__ == "__main__":
    main()
