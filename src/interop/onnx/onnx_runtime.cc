#include "interop/onnx/onnx_runtime.h"

#include <dlfcn.h>

#include <array>
#include <cstdlib>

#include "interop/onnx/onnx_model.h"
#include "segmentum/error.h"

namespace segmentum {
namespace {

constexpr const char* kVariable = "SEGMENTUM_ONNXRUNTIME";

/// Places in the table of functions of ONNX Runtime's C interface, version 1. Functions are only
/// ever added behind its last one, ReleaseCustomOpDomain, so these numbers stay.
enum Function : std::size_t {
  kGetErrorMessage = 2,
  kCreateEnv = 3,
  kCreateSession = 7,
  kRun = 9,
  kCreateSessionOptions = 10,
  kSetIntraOpNumThreads = 24,
  kCreateTensorWithDataAsOrtValue = 49,
  kGetTensorMutableData = 51,
  kGetTensorElementType = 60,
  kGetDimensionsCount = 61,
  kGetDimensions = 62,
  kGetTensorTypeAndShape = 65,
  kCreateCpuMemoryInfo = 69,
  kReleaseEnv = 92,
  kReleaseStatus = 93,
  kReleaseMemoryInfo = 94,
  kReleaseSession = 95,
  kReleaseValue = 96,
  kReleaseTensorTypeAndShapeInfo = 99,
  kReleaseSessionOptions = 100
};

struct ApiBase {
  const void* const* (*get_api)(std::uint32_t version);
  const char* (*get_version)();
};

constexpr int kErrorsOnly = 3;  // of its log
constexpr int kArenaAllocator = 1;
constexpr int kDefaultMemory = 0;

/// The functions, by place; a status that is no success becomes an Error.
class Api {
 public:
  explicit Api(const void* const* functions) : functions_(functions) {}

  template <typename... Arguments>
  void call(Function function, Arguments... arguments) const {
    using Signature = void* (*)(Arguments...);
    void* status = reinterpret_cast<Signature>(at(function))(arguments...);
    if (status == nullptr) return;
    using GetMessage = const char* (*)(void*);
    const std::string message = reinterpret_cast<GetMessage>(at(kGetErrorMessage))(status);
    release(kReleaseStatus, status);
    throw Error("ONNX Runtime: " + message);
  }

  void release(Function function, void* object) const {
    if (object != nullptr) reinterpret_cast<void (*)(void*)>(at(function))(object);
  }

 private:
  void* at(Function function) const { return const_cast<void*>(functions_[function]); }
  const void* const* functions_;
};

/// One of ONNX Runtime's objects, released by its own function.
class Owned {
 public:
  Owned(const Api& api, Function release) : api_(api), release_(release) {}
  ~Owned() { api_.release(release_, object_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;
  void* get() const { return object_; }
  void** out() { return &object_; }

 private:
  const Api& api_;
  Function release_;
  void* object_ = nullptr;
};

class Session : public RuntimeSession {
 public:
  Session(const Api& api, void* env, const std::filesystem::path& file, int threads)
      : api_(api), session_(api, kReleaseSession) {
    Owned options(api, kReleaseSessionOptions);
    api.call(kCreateSessionOptions, options.out());
    api.call(kSetIntraOpNumThreads, options.get(), threads);
    api.call(kCreateSession, env, file.c_str(), options.get(), session_.out());
  }

  RuntimeOutput run(const std::string& input, ConstTensorView picture,
                    const std::string& output) override {
    const Shape& s = picture.shape;
    const std::array<std::int64_t, 4> dims{s.n(), s.c(), s.h(), s.w()};
    Owned memory(api_, kReleaseMemoryInfo), given(api_, kReleaseValue);
    const auto made = std::make_shared<Owned>(api_, kReleaseValue);
    api_.call(kCreateCpuMemoryInfo, kArenaAllocator, kDefaultMemory, memory.out());
    api_.call(kCreateTensorWithDataAsOrtValue, memory.get(),
              static_cast<void*>(const_cast<float*>(picture.data)), picture.values().size_bytes(),
              dims.data(), dims.size(), static_cast<int>(OnnxType::f32), given.out());
    const std::array<const char*, 1> inputs{input.c_str()}, outputs{output.c_str()};
    const std::array<void*, 1> values{given.get()};
    const void* const no_options = nullptr;
    api_.call(kRun, session_.get(), no_options, inputs.data(), values.data(), inputs.size(),
              outputs.data(), outputs.size(), made->out());
    RuntimeOutput result = content(made->get());
    result.owner = made;
    return result;
  }

 private:
  RuntimeOutput content(void* value) const {
    Owned about(api_, kReleaseTensorTypeAndShapeInfo);
    api_.call(kGetTensorTypeAndShape, value, about.out());
    int type = 0;
    std::size_t rank = 0;
    api_.call(kGetTensorElementType, about.get(), &type);
    api_.call(kGetDimensionsCount, about.get(), &rank);
    RuntimeOutput result;
    result.dims.resize(rank);
    api_.call(kGetDimensions, about.get(), result.dims.data(), rank);
    std::size_t count = 1;
    for (const std::int64_t dim : result.dims) count *= static_cast<std::size_t>(dim);
    void* numbers = nullptr;
    api_.call(kGetTensorMutableData, value, &numbers);
    if (type == static_cast<int>(OnnxType::f32)) {
      result.reals = {static_cast<const float*>(numbers), count};
    } else if (type == static_cast<int>(OnnxType::i64)) {
      result.wholes = {static_cast<const std::int64_t*>(numbers), count};
    } else {
      throw Error("ONNX Runtime: the output is of type " + std::to_string(type));
    }
    return result;
  }

  const Api& api_;
  Owned session_;
};

class Runtime : public OnnxRuntime {
 public:
  explicit Runtime(const ApiBase& base)
      : version_(base.get_version()), api_(functions(base)), env_(api_, kReleaseEnv) {
    api_.call(kCreateEnv, kErrorsOnly, "segmentum", env_.out());
  }

  std::string version() const override { return version_; }
  std::unique_ptr<RuntimeSession> open(const std::filesystem::path& file, int threads) override {
    return std::make_unique<Session>(api_, env_.get(), file, threads);
  }

 private:
  static const void* const* functions(const ApiBase& base) {
    constexpr std::uint32_t kVersion = 1;
    const void* const* const table = base.get_api(kVersion);
    if (table == nullptr) throw Error("ONNX Runtime has no interface of version 1");
    return table;
  }

  std::string version_;
  Api api_;
  Owned env_;
};

}  // namespace

std::unique_ptr<OnnxRuntime> find_onnx_runtime() {
  const char* named = std::getenv(kVariable);
  const bool is_named = named != nullptr && *named != '\0';
  // Never closed: its threads and statics must not outlive its code.
  void* library = ::dlopen(is_named ? named : "libonnxruntime.so.1", RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) {
    if (is_named) throw Error(std::string(kVariable) + ": cannot open: " + ::dlerror());
    return nullptr;
  }
  using GetBase = const ApiBase* (*)();
  const auto get_base = reinterpret_cast<GetBase>(::dlsym(library, "OrtGetApiBase"));
  if (get_base == nullptr) {
    throw Error(std::string(is_named ? named : "libonnxruntime.so.1") + " is no ONNX Runtime");
  }
  return std::make_unique<Runtime>(*get_base());
}

}  // namespace segmentum
