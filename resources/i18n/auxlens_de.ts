<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="de" sourcelanguage="en">
  <context>
    <name>AuxLens</name>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Assess the accuracy of a map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Compares a map with a reference: confusion matrix, accuracies of each class and area-adjusted estimates with confidence intervals, or the errors of a regression, and how reliable the probabilities are.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>validation,confusion matrix,kappa,F1,IoU,user's accuracy,producer's accuracy,area estimation,Olofsson,RMSE,R2,calibration,reliability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Accuracy report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>HTML files (*.html)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Report with charts.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Table</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>CSV files (*.csv)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>A row a class, means, overall figures.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Figures</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>JSON files (*.json)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/accuracy.py" />
      <source>Everything, for other programs.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Assess the attributions of a model</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Judges a model's attributions at sampled pixels of a scene: against exact Shapley values, against other methods on the same network, and against controls.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>explanation,Shapley,SHAP,XAI,insertion,deletion,infidelity,integrated gradients,occlusion</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Models trained alike, for example with other seeds, to see whether they explain alike.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>What stands in for the bands of an absent player: their mean as in training, a blurred copy, or noise; verdicts on explanations depend on it.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Pixels to sample; fewer are taken with many players, of which all coalitions are computed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Report with charts and a verdict.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>A row a method, a column a measure.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Other models</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Absent bands</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/attributionquality.py" />
      <source>Pixels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Demo</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Train</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Assess</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Present</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/base.py" />
      <source>Model</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Create demo scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Writes synthetic but physically plausible scenes to try AuxLens on: optical and radar bands, elevation, land cover as reference, and the known causes of errors.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>example,sample,synthetic,test data,sentinel</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Scenes to write; the last third carries haze, cloud shadow and a class unseen in the others.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Width and height of each scene, in pixels of 10 m.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Folder to write to; it gets one sub-folder a scene.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Number of scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Scene size (pixels)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/createdemo.py" />
      <source>Folder of scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Map a scene and explain the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Maps one scene with a trained model and explains the map: class probabilities, uncertainty, reconstructed modalities with their errors, and the probability that the map is wrong. Only what is asked for is computed. A scene-level model maps whole polygons, or tiles.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>deep learning,inference,prediction,classification,segmentation,regression,explainability,uncertainty,error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Classes, or the estimate of a regression.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Class probabilities</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>A band a class, 0 to 1 (segmentation only).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Uncertainty</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Normalised entropy of the classes, 0 to 1; for a regression the predicted scale of its error.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Auxiliary bands as the network predicts them from the inputs, in their physical units.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Expected error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>The network's own predicted scale of the reconstruction error; needs no auxiliary raster.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Reconstruction minus auxiliary raster, in physical units; needs auxiliary rasters.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Main error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>1 where the map differs from the reference; for a regression the difference. Needs a reference.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Error probability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Calibrated probability that the map is wrong at the pixel, 0 to 1; needs no reference.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>Attribution</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/map.py" />
      <source>A band a player with its contribution to the mapped class's score; the last is the dominant player.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Map a folder of scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Maps every scene of a folder with a trained model, on this machine or on a Dask cluster; a scene that fails does not stop the others, and a second run does only what is missing or out of date.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>deep learning,inference,prediction,classification,segmentation,regression,batch,cluster,dask,stac,uncertainty</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Output folder</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Summary table</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Table to write: a row a scene with its status, class areas, mean uncertainty and mean errors.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Summary report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Report to write: what became of each scene, with thumbnails.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/mapfolder.py" />
      <source>Folder to write to: a sub-folder a scene, and a STAC catalog of all of them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Describe a model</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Writes what a model needs, what it gives, how good it is and where it was trained, with a map of the training scenes, as a page to read, keep or hand over.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>model card,metadata,accuracy,training data,extent,documentation</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Model page</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/modelinfo.py" />
      <source>Page to write, without scripts.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Empty for those that the model was trained with.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Files of each input modality inside a scene's folder: modality=pattern, one a line or separated by “;”, for example s2=s2.tif or s2=B02.tif,B03.tif,B04.tif.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Files of each auxiliary modality, in the same form, for example s1=s1.tif. Scenes may lack them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>File with the truth, relative to the scene's folder, for example label.tif or ../classes.gpkg; for scene-level tasks also ../labels.csv, with the scenes' names in its first column.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Model file (.safetensors) that AuxLens has trained.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Rasters that the network is given, when it is trained and whenever it maps. Single-band rasters together form one modality, every multi-band raster is one. The finest band of the first sets the grid.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Rasters of the auxiliary modalities, each one a modality. Training learns to reconstruct them; mapping does not need them, but compares the reconstruction with them where they exist.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Raster or vector layer with the truth: classes or, for a regression, numbers. It may be sparse.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Name of the field with the classes or numbers; needed for a vector reference only.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Map to assess: classes or, for a regression, numbers. Its grid is the one that is compared on.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Probabilities of the classes, a band a class, 0 to 1: shows whether they mean what they say.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Folder with one sub-folder a scene; or with the files of all scenes, told apart by what * stands for in the first input pattern, for example *_S2.tif.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers to write for each scene; only what is asked for is computed.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Address of a Dask cluster's scheduler, for example tcp://host:8786, whose workers have AuxLens and see the same files; empty to map on this machine.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>What the map shows: classes (segmentation) or a quantity (regression) of every pixel; or one class (scene_classification) or number (scene_regression) for each polygon or scene.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>What the auxiliary rasters are for: multitask learns to reconstruct them, single leaves them out, multimodal takes them as inputs (and needs them whenever it maps), shuffled is a control that learns to reconstruct those of other places.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Size of the network: small is quick and enough for most scenes; base and large want a GPU.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Passes over the training chips at most; training stops early when validation no longer improves.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Minutes after which training stops and keeps the best weights so far; 0 for no limit.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Width and height of the training chips, in pixels of the input grid.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Start of the random numbers; the same seed gives the same result again.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Where to compute: auto (a GPU if there is one), cpu, cuda, cuda:1 (the second GPU) or mps.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Number format of the network; auto takes the fastest one that keeps the result.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Width and height of the window computed at once, in pixels; 0 takes the model's.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Context read around each tile, in pixels; −1 takes the model's margin, which leaves no seams.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Windows computed together; 0 lets the engine choose.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Part of the scene to map, in any CRS; empty for the whole scene.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Polygons that a scene-level model maps, each as a whole; without any it maps the tiles of a regular grid. Other models take none.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Raster (not 0) or polygons inside which to map; everything outside becomes nodata.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Model file to write: the weights and a card that describes them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Report to write: learning curves, figures on validation and test, example chips.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Groups of input bands whose contributions make up each score, one “player=band,band” a line, for example “visible=B2,B3,B4”; empty for groups by modality and spectral region, “none” for no attributions.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Class, by name or value, whose score the attributions explain; empty for each pixel's mapped class.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>GeoPackage with the polygons (or tiles) and a field for each result; of scene-level models only.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>AuxLens model (*.safetensors)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Input rasters</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Auxiliary rasters</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference field</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Input patterns</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Auxiliary patterns</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Reference pattern</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Layers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Dask scheduler</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Main task</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Strategy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Network size</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Epochs</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Time limit (minutes)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Chip size (pixels)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Seed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Device</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Precision</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Tile size (pixels)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Overlap (pixels)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Batch size</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Extent</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Polygons</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Mask</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Training report</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Players</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/parameters.py" />
      <source>Attributed class</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Report on a mapped scene</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Makes a report of a mapped scene, as PDF through a layout that you may edit and as HTML: the map, where it is doubtful and why, the auxiliary modalities, areas, the model and how to make it again.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>layout,print,PDF,HTML,atlas,map book,publication,explainability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layers that “map” made, of one scene or of several; they are told by their tags, not their names.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Instead of layers: a folder with rasters that “map” or “mapfolder” made, sub-folders included.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Size of the pages: the template's own (A4 in AuxLens's), A4 or Letter.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>One static HTML file with everything inside.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Pages at 300 dpi, printed through the template.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layers of the mapped scene</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Folder of mapped scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Title</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Paper</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>PDF files (*.pdf)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Model that made the map, where it is no longer where the map's tags say.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Figures of accuracy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Figures (*.json *.csv)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>What “accuracy” wrote as JSON or CSV: gives areas with confidence intervals.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Table of explained errors</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>What “explainerrors” wrote as CSV; any other table is shown as it is.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layout template</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Layout templates (*.qpt)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Template of your own; the items are named as in AuxLens's, resources/templates/report.qpt.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Title of the report; the scene's name where it is empty.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/report.py" />
      <source>Report as PDF</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>Train a model on layers</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>Trains a model on the layers of one scene: it learns to map the reference from the input rasters and, as auxiliary tasks, to reconstruct the auxiliary rasters, which are not needed when it maps.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/train.py" />
      <source>deep learning,neural network,classification,segmentation,regression,multitask</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/trainfolder.py" />
      <source>Train a model on a folder of scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../algorithms/trainfolder.py" />
      <source>Trains a model on a folder of scenes, with a sub-folder or a file name for each; whole scenes are kept apart for validation and test where there are enough of them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/cards.py" />
      <source>The model file “{}” does not exist any more.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/cards.py" />
      <source>The model file “{}” is not the one that made this map (its SHA-256 differs).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/action.py" />
      <source>Why here?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/action.py" />
      <source>Ask a mapped scene about a place: click a pixel or draw an outline.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Nothing is mapped here</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Estimated as {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>{} pixels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source> on {} of the area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/answer.py" />
      <source>Mapped as {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>The mapped scene that is asked, where several lie below each other.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>Copy text</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>Copy picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>No mapped scene lies here: add layers that “map” made, and click on them.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/dock.py" />
      <source>The layers have changed; click again.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>predicted {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>predicted</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Doubt</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Probability of the classes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>{} of it differs from the reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>differs from the reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>agrees with the reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>observed</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>observed {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Attribution (log-odds)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Attribution: what speaks for it (+) and against it (−)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>higher than {} % of the scene</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>dominant: {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>{}: off by {} times the expected error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/panel/view.py" />
      <source>Click a mapped scene, or draw an outline.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Printing the PDF</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>The report was canceled.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Mapped scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Are errors explained?</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Writing the HTML</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/build.py" />
      <source>Measuring {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Save the text below as job.json and run it with: auxlens run job.json</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Against references</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>class</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>reference pixels</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Scenes</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>share</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Name</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Created</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Licence</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Made with</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Report by</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>SHA-256 of the model</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>It is the first scene's; every raster carries its own.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>scene</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>mean uncertainty</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>expected wrong</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>likely wrong (≥ 50 %)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>wrong by the reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>{} scenes mapped with the model “{}”</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>not stated</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Trained on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>How to reproduce</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>mapped area ({})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>AuxLens {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Figures on {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Reconstruction of {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Error probability ({})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Where the scenes lie</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>({} more rows in the file)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Input {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>Auxiliary {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/common_sheets.py" />
      <source>SHA-256 of the {}, {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>picture</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>table</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>label</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>The template has no page “{}”; it was left out.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/layout.py" />
      <source>The template has no {} “{}.{}”; it was left out.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>The uncertainty is how evenly the probability is spread over the classes; it is no rate of errors.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>A player is a group of input bands. Its attribution is its part in the score of the mapped class: positive speaks for the class, negative against it; together with the bias they add up to the score.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>What the network says this modality looks like, judging by the inputs alone.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Estimated areas are adjusted for the map's errors (Olofsson et al. 2014); lines are 95 % intervals.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Areas are counted on the map; intervals need an assessment of its accuracy.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Where the map is doubtful</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Share of the area by error probability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>error probability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Why: what the map rests on</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Dominant player</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>By band</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>the model's card</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>mapped area</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>The scene (first input)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>The map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Mapped on {} with the model “{}” (AuxLens {})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>the map</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>there is no layer “map”</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>where the map is doubtful</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>there is no layer “error probability” or “uncertainty”</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Main error: where map and reference differ</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>why: attributions</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>there is no layer “attribution”</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>auxiliary modalities</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>there is no layer “reconstruction” or of its errors</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Reconstruction error (reconstruction − reference)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Expected error (needs no reference)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>It was not given when the scene was mapped, so its error is the expected one.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Auxiliary modality: {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>mean</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>bias</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>RMSE</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>expected error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>band</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>expected to be wrong</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>more likely wrong than right</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>areas by class</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>the map shows a quantity</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Areas by class</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>The error probability was fitted on held-out references: {} of this map is expected to be wrong.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>area ({})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>{} ({})</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>mean expected error</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Left out: {} ({}).</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>RMSE by the reference</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>overall accuracy</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>estimated area ({}), ± 95 %</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>mapped as {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Probability</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>It ranks wrong above right pixels with an AUROC of {}.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>observed wrong</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Share of the area that each player dominates</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>error probability {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Reference: {} as measured</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>Mean size of its attribution (log-odds)</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/report/scene_sheets.py" />
      <source>uncertainty {}</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” was not made by AuxLens and was left out.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” cannot be read (was its file deleted?) and was left out.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/scenes.py" />
      <source>“{}” shows the same output of the same scene as “{}” and was left out.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Setting up the AuxLens engine</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Leave empty for the environment that “Set up engine…” makes under your profile.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Python 3.11 or newer that “Set up engine…” makes the environment with; leave empty to look for one.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Set up engine…</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>AuxLens computes in a process of its own, with packages that QGIS does not ship (PyTorch, rasterio and others). “Set up engine…” downloads them (about 1 GB) into an environment in your QGIS profile; the Python of QGIS stays as it is.</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Engine's Python</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>State</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Python for the set-up</source>
      <translation type="unfinished" />
    </message>
    <message>
      <location filename="../../plugin/settings.py" />
      <source>Ready: {}</source>
      <translation type="unfinished" />
    </message>
  </context>
</TS>
