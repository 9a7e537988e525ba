"""llama.cpp's server through xllamacpp: llama_server.py PORT CONTEXT MODEL.gguf ALIAS [MMPROJ.gguf | --embeddings]

Prints "ready" once it listens; ends when standard input is closed, so that it never outlives the test.
"""

import sys
import xllamacpp

port, context, model, alias = sys.argv[1:5]
parameters = xllamacpp.CommonParams()
parameters.model.path = model
parameters.model_alias = {alias} if isinstance(parameters.model_alias, set) else alias
if sys.argv[5:] == ["--embeddings"]:
    parameters.embedding = True
    parameters.pooling_type = xllamacpp.llama_pooling_type.LLAMA_POOLING_TYPE_MEAN
elif len(sys.argv) > 5:
    parameters.mmproj.path = sys.argv[5]
parameters.hostnames = ["127.0.0.1"]
parameters.port = int(port)
slots = 4
parameters.n_parallel = slots
parameters.n_ctx = int(context) * slots
parameters.n_threads_http = 8
# The model is too small for more, and waiting threads spin.
parameters.cpuparams.n_threads = 1
parameters.warmup = False
# Nearer to f32 kernels elsewhere (0.011 in place of 0.022 in log p).
parameters.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
server = xllamacpp.Server(parameters)
print("ready", flush=True)
sys.stdin.read()
