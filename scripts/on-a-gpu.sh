#!/bin/sh
# Runs everything that only a machine with a GPU can show: parity in each precision, the smoke and standard
# profiles in every mode, the batch sweep. Frameworks that this machine lacks are left out.
#
#   scripts/on-a-gpu.sh OUT [PYTHON]
#
# OUT: a new folder. PYTHON: the interpreter that has torch, jax and keras (default: python3); samestep
# itself must be importable from `python3`, its dependencies included. BACKENDS and DEVICE may be set.
set -u
out=$1
python=${2:-python3}
backends=${BACKENDS:-pytorch,keras-torch,keras-jax,jax}
device=${DEVICE:-cuda:0}
status=0

interpreters=""
for backend in $(echo "$backends" | tr , ' '); do
    interpreters="$interpreters --python $backend=$python"
done

part() {
    name=$1
    shift
    echo "== $name: samestep $*"
    # shellcheck disable=SC2086 # the interpreters are several words
    python3 -m bench "$@" $interpreters --out "$out/$name" || { echo "== $name: exit $?"; status=1; }
}

mkdir -p "$out"
python3 -m bench doctor || true
for precision in float32,float64 tf32 bfloat16; do
    part "parity-$precision" parity --backend "$backends" --device "$device" --precision "$precision"
done
part smoke run --profile smoke --backend "$backends" --device "$device" --mode all
part standard run --profile standard --rounds "${ROUNDS:-10}" --backend "$backends" --device "$device" --mode all
part precisions run --profile standard --rounds 6 --workload mlp-512-256,cnn --backend "$backends" \
    --device "$device" --precision float32,tf32,bfloat16 --seeds 0
part sweep run --profile standard --rounds 3 --workload mlp-512-256 --backend "$backends" \
    --device "cpu,$device" --batch-size 32,128,512,2048,8192 --seeds 0
exit "$status"
